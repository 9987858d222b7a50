/** Command lines: what util.parseArgs says, in the catalogue's words. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { UnpinError } from '@unpin/contract/errors';
import { ASSET_GROUPS, ASSET_IDS, type AssetId, assetsNamed } from '../debian/assets.ts';

/** As util.parseArgs. Throws USAGE. */
export function parse<const T extends ParseArgsConfig>(config: T) {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new UnpinError('USAGE', { subject: error instanceof Error ? error.message : String(error), next: '--help' });
  }
}

/** The assets of ids and of names of groups. Throws USAGE for anything else. */
export function assetIds(words: readonly string[]): AssetId[] {
  return words.flatMap((word) => {
    const ids = assetsNamed(word);
    if (ids !== undefined) return ids;
    const needed = [...ASSET_GROUPS.keys(), ...ASSET_IDS].join(', ');
    throw new UnpinError('USAGE', { subject: word, found: 'no asset of this name', needed });
  });
}

/** Throws USAGE for what is no whole number above zero. */
export function count(option: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UnpinError('USAGE', { subject: `--${option}`, found: text, needed: 'a whole number above 0' });
}
