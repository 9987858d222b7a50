import type { Piece, Word } from './syntax.ts';

export type Token =
  | { readonly kind: 'word'; readonly line: number; readonly word: Word }
  /** A line's end or a semicolon. */
  | { readonly kind: 'newline' | 'semicolon' | '{' | '}'; readonly line: number }
  /** What the language keeps for itself and never uses (`| & < >`), or a quote that doesn't end. */
  | { readonly kind: 'wrong'; readonly line: number; readonly text: string };

const BLANK = /[ \t\r]/;
/** What ends a word where it isn't quoted. */
const META = /[ \t\r\n;{}|&<>]/;
/** What ends a run of plain characters, and one in double quotes. */
const PLAIN = /[^ \t\r\n;{}|&<>'"$\\]*/y;
const IN_DOUBLE = /[^"\\$]*/y;
const NAME = /(?:[A-Za-z_][A-Za-z0-9_]*|[0-9]+|[?#@*])/y;

/** The tokens of a script. Never fails: what GRUB's own lexer refuses is a `wrong` token. Linear in the text. */
export function tokensOf(text: string): Token[] {
  return new Lexer(text).all();
}

class Lexer {
  readonly #text: string;
  #at = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  all(): Token[] {
    const tokens: Token[] = [];
    for (let token = this.#next(); token !== undefined; token = this.#next()) tokens.push(token);
    return tokens;
  }

  #next(): Token | undefined {
    this.#skipBlanks();
    const line = this.#line;
    const char = this.#text[this.#at];
    switch (char) {
      case undefined:
        return undefined;
      case '\n':
        this.#at++;
        this.#line++;
        return { kind: 'newline', line };
      case ';':
        this.#at++;
        return { kind: 'semicolon', line };
      case '{':
      case '}':
        this.#at++;
        return { kind: char, line };
      case '|':
      case '&':
      case '<':
      case '>':
        this.#at++;
        return { kind: 'wrong', line, text: char };
      default:
        return this.#word(line);
    }
  }

  /** Blanks, continued lines, and comments, which begin where a word would. */
  #skipBlanks(): void {
    for (;;) {
      const char = this.#text[this.#at];
      if (char === undefined) return;
      if (BLANK.test(char)) this.#at++;
      else if (char === '\\' && this.#text[this.#at + 1] === '\n') {
        this.#at += 2;
        this.#line++;
      } else if (char === '#') {
        const end = this.#text.indexOf('\n', this.#at);
        this.#at = end < 0 ? this.#text.length : end;
      } else return;
    }
  }

  #word(line: number): Token {
    const pieces: Piece[] = [];
    for (;;) {
      const char = this.#text[this.#at];
      if (char === undefined || META.test(char)) break;
      if (char === "'") {
        if (!this.#single(pieces)) return this.#unclosed(line, char);
      } else if (char === '"') {
        const wrong = this.#double(pieces);
        if (wrong !== undefined)
          return wrong === '$' ? { kind: 'wrong', line, text: wrong } : this.#unclosed(line, wrong);
      } else if (char === '$') {
        if (!this.#dollar(pieces, false)) return { kind: 'wrong', line, text: '$' };
      } else if (char === '\\') this.#escaped(pieces);
      else this.#plain(pieces);
    }
    return { kind: 'word', line, word: { pieces, line } };
  }

  #unclosed(line: number, quote: string): Token {
    this.#at = this.#text.length;
    return { kind: 'wrong', line, text: quote };
  }

  #plain(pieces: Piece[]): void {
    pieces.push({ kind: 'text', text: this.#take(PLAIN), quoted: false });
  }

  #escaped(pieces: Piece[]): void {
    const next = this.#text[this.#at + 1];
    this.#at = Math.min(this.#at + 2, this.#text.length);
    // A continued line goes on with the same word.
    if (next === '\n') this.#line++;
    else pieces.push({ kind: 'text', text: next ?? '\\', quoted: true });
  }

  #single(pieces: Piece[]): boolean {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end < 0) return false;
    this.#push(pieces, this.#text.slice(this.#at + 1, end));
    this.#at = end + 1;
    return true;
  }

  /**
   * In double quotes a backslash quotes `$ " \` and the line's end, and is itself before anything else.
   * What GRUB refuses is returned: a `$` without a name, a quote without an end.
   */
  #double(pieces: Piece[]): '$' | '"' | undefined {
    this.#at++;
    let text = '';
    let any = false;
    const flush = (): void => {
      if (text === '') return;
      this.#push(pieces, text);
      any = true;
      text = '';
    };
    for (;;) {
      const char = this.#text[this.#at];
      if (char === undefined) return '"';
      if (char === '"') break;
      if (char === '\\') {
        const next = this.#text[this.#at + 1];
        if (next === '\n') this.#line++;
        else if (next === '$' || next === '"' || next === '\\') text += next;
        else if (next !== undefined) text += char + next;
        this.#at += 2;
      } else if (char === '$') {
        flush();
        if (!this.#dollar(pieces, true)) return '$';
        any = true;
      } else {
        text += this.#take(IN_DOUBLE);
      }
    }
    this.#at++;
    flush();
    // "" is a word, though an empty one.
    if (!any) pieces.push({ kind: 'text', text: '', quoted: true });
    return undefined;
  }

  /** False where no variable's name follows, which GRUB refuses; it is passed over then. */
  #dollar(pieces: Piece[], quoted: boolean): boolean {
    const next = this.#text[this.#at + 1];
    // $"…" is a text to be translated: the quote itself follows.
    if (next === '"' && !quoted) {
      this.#at++;
      return true;
    }
    const braced = next === '{';
    NAME.lastIndex = this.#at + (braced ? 2 : 1);
    const name = NAME.exec(this.#text)?.[0];
    const end = NAME.lastIndex;
    if (name === undefined || (braced && this.#text[end] !== '}')) {
      this.#at++;
      return false;
    }
    this.#at = end + (braced ? 1 : 0);
    pieces.push({ kind: 'variable', name, quoted });
    return true;
  }

  #take(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const taken = pattern.exec(this.#text)?.[0] ?? '';
    this.#at += taken.length;
    return taken;
  }

  #push(pieces: Piece[], text: string): void {
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#line++;
    pieces.push({ kind: 'text', text, quoted: true });
  }
}
