/**
 * An entry of the Boot Loader Specification, type 1 (UAPI.1): a file of `key value` lines in `loader/entries`.
 * Keys may come more than once; their order is kept.
 */
export interface BlsEntry {
  values(key: string): readonly string[];
  /** The first, as loaders take keys that should come once. */
  value(key: string): string | undefined;
}

/**
 * Reads an entry. Lines of `#` are comments. Never fails: a line without a value says nothing.
 * @param stop GRUB's readers stop at the first line that has no value, blank ones included; systemd-boot goes on
 */
export function readBlsEntry(text: string, stop: 'at-blank' | 'at-end'): BlsEntry {
  const fields = new Map<string, string[]>();
  for (const line of text.split(/\r?\n/)) {
    const trimmed = line.replace(/^[ \t]+/, '');
    if (trimmed.startsWith('#')) continue;
    const match = /^([^ \t]+)[ \t]+(.*)$/s.exec(trimmed);
    const [, key, raw] = match ?? [];
    const value = raw?.replace(/[ \t]+$/, '');
    if (key === undefined || value === undefined || value === '') {
      if (stop === 'at-blank') break;
      continue;
    }
    fields.set(key, [...(fields.get(key) ?? []), value]);
  }
  return {
    values: (key) => fields.get(key) ?? [],
    value: (key) => fields.get(key)?.[0],
  };
}
