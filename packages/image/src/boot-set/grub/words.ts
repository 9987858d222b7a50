import type { Machine } from './machine.ts';
import type { Word } from './syntax.ts';

/** Words that one statement may become, by variables and patterns. */
const WORD_LIMIT = 10_000;
/** Characters of one word; a kernel takes 2048. A variable that doubles itself must end somewhere. */
const LENGTH_LIMIT = 2 ** 16;

/**
 * The words of a statement with variables and patterns filled in. A variable outside of quotes is split at blanks,
 * and is no word at all where it is empty; a pattern that matches nothing stays as it is.
 */
export async function expandWords(machine: Machine, words: readonly Word[]): Promise<string[]> {
  const expanded: string[] = [];
  let characters = 0;
  let counted = 0;
  for (const word of words) {
    for (const { text, pattern } of partsOf(machine, word)) {
      const found = pattern ? await matchesOf(machine, text) : [];
      if (found.length > 0) expanded.push(...found);
      else expanded.push(text);
    }
    for (let at = counted; at < expanded.length; at++) characters += expanded[at]?.length ?? 0;
    counted = expanded.length;
    if (expanded.length > WORD_LIMIT || expanded.some((text) => text.length > LENGTH_LIMIT)) {
      machine.problem(word.line, 'a command has more words than any loader takes');
      machine.end({ kind: 'lost' });
      return [];
    }
  }
  if (characters > CHARACTERS) machine.step(words[0]?.line ?? 0, Math.floor(characters / CHARACTERS));
  return expanded;
}

/** Statements that looking through folders costs as much as. */
const GLOB = 100;
/** Characters that cost as much as a statement. */
const CHARACTERS = 256;

interface Part {
  text: string;
  /** Whether it has `*` or `?` outside of quotes. */
  pattern: boolean;
}

function partsOf(machine: Machine, word: Word): Part[] {
  const parts: Part[] = [];
  let open: Part | undefined;
  const append = (text: string, quoted: boolean): void => {
    if (open === undefined) {
      open = { text: '', pattern: false };
      parts.push(open);
    }
    open.text += text;
    if (!quoted && /[*?]/.test(text)) open.pattern = true;
  };
  for (const piece of word.pieces) {
    if (piece.kind === 'text') append(piece.text, piece.quoted);
    else if (piece.quoted && piece.name !== '@') append(valueOf(machine, piece.name), true);
    else {
      const values =
        piece.quoted && piece.name === '@'
          ? (machine.parameters ?? [])
          : valueOf(machine, piece.name).split(/[ \t\n]+/);
      for (const [index, value] of values.entries()) {
        if (index > 0) open = undefined;
        if (value !== '' || piece.quoted) append(value, piece.quoted);
      }
    }
    if (parts.length > WORD_LIMIT || (open?.text.length ?? 0) > LENGTH_LIMIT) return parts;
  }
  return parts;
}

/** A variable's value, empty where it is not set: GRUB makes no difference. */
function valueOf(machine: Machine, name: string): string {
  if (name === '?') return machine.decide(machine.status) ? '0' : '1';
  const { parameters } = machine;
  if (name === '#') return parameters === undefined ? '' : String(parameters.length);
  if (name === '*' || name === '@') return (parameters ?? []).join(' ');
  if (/^[0-9]+$/.test(name)) return parameters?.[Number(name) - 1] ?? '';
  return machine.env.get(name) ?? '';
}

async function matchesOf(machine: Machine, pattern: string): Promise<string[]> {
  const place = machine.place(pattern);
  if (place === undefined) return [];
  const prefix = pattern.slice(0, pattern.length - place.path.length);
  if (!machine.step(0, GLOB)) return [];
  const found = await machine.shared.disk.glob(place.on, place.path);
  return found.map((path) => prefix + path);
}
