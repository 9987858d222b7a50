import type { Evidence } from '@unpin/policy';

/** A word of a kernel's command line: a name, and what follows its first '='. */
export interface Word {
  readonly name: string;
  readonly value: string | undefined;
}

/**
 * The words that are for the kernel, as it splits them (lib/cmdline.c): at white space outside of double quotes; quotes
 * around a whole word or around a value fall away; '-' is as good as '_' in a name. What follows '--' is for init.
 */
export function wordsOf(commandLine: string): Word[] {
  const words: Word[] = [];
  for (const [text] of commandLine.matchAll(/(?:"[^"]*(?:"|$)|[^\s"])+/g)) {
    if (text === '--') break;
    const bare = text.startsWith('"') ? text.slice(1).replace(/"$/, '') : text;
    const equals = bare.indexOf('=');
    const name = (equals < 0 ? bare : bare.slice(0, equals)).replaceAll('-', '_');
    const value = equals < 0 ? undefined : bare.slice(equals + 1).replace(/^"|"$/g, '');
    words.push({ name, value });
  }
  return words;
}

/** A word as evidence. */
export function wordEvidence(signal: string, { name, value }: Word): Evidence {
  return { signal, where: 'command line', seen: value === undefined ? name : `${name}=${value}` };
}
