/** Command lines: what util.parseArgs says, in the catalogue's words. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import { UnpinError } from '@unpin/contract/errors';
import { ASSET_IDS, type AssetId, isAssetId } from '../debian/assets.ts';

/** As util.parseArgs. Throws USAGE. */
export function parse<const T extends ParseArgsConfig>(config: T) {
  try {
    return parseArgs(config);
  } catch (error) {
    throw new UnpinError('USAGE', { subject: error instanceof Error ? error.message : String(error), next: '--help' });
  }
}

/** Throws USAGE for anything that is no asset's id. */
export function assetIds(words: readonly string[]): AssetId[] {
  return words.map((word) => {
    if (isAssetId(word)) return word;
    throw new UnpinError('USAGE', { subject: word, found: 'no asset of this name', needed: ASSET_IDS.join(', ') });
  });
}

/** Throws USAGE for what is no whole number above zero. */
export function count(option: string, text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UnpinError('USAGE', { subject: `--${option}`, found: text, needed: 'a whole number above 0' });
}
