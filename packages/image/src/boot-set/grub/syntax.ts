/** GRUB's script language as a tree (GNU GRUB manual, "The GRUB command line and menu entry scripts"). */

/** A part of a word. Unquoted variables are split at blanks, quoted ones are not. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string; readonly quoted: boolean }
  | { readonly kind: 'variable'; readonly name: string; readonly quoted: boolean };

export interface Word {
  readonly pieces: readonly Piece[];
  /** From 1. */
  readonly line: number;
}

export type Statement =
  | {
      readonly kind: 'command';
      readonly line: number;
      readonly words: readonly Word[];
      /** `{ … }` after the words: what `menuentry` and `submenu` keep. */
      readonly block: readonly Statement[] | undefined;
    }
  | {
      readonly kind: 'if';
      readonly line: number;
      readonly branches: readonly { readonly condition: readonly Statement[]; readonly body: readonly Statement[] }[];
      readonly otherwise: readonly Statement[];
    }
  | {
      readonly kind: 'for';
      readonly line: number;
      readonly name: string;
      readonly words: readonly Word[];
      readonly body: readonly Statement[];
    }
  | {
      readonly kind: 'while';
      readonly line: number;
      /** Runs while the condition fails. */
      readonly until: boolean;
      readonly condition: readonly Statement[];
      readonly body: readonly Statement[];
    }
  | { readonly kind: 'function'; readonly line: number; readonly name: string; readonly body: readonly Statement[] };

/** A statement that GRUB would refuse; it goes on with the next line. */
export interface SyntaxProblem {
  readonly line: number;
  readonly message: string;
}

/** A configuration, read. */
export interface Script {
  readonly statements: readonly Statement[];
  readonly problems: readonly SyntaxProblem[];
}

/** The word's text where it is one unquoted piece: what keywords are. */
export function plainText(word: Word): string | undefined {
  const [piece, more] = word.pieces;
  return piece?.kind === 'text' && !piece.quoted && more === undefined ? piece.text : undefined;
}
