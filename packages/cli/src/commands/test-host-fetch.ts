import { UnpinError } from '@unpin/contract';
import {
  ASSET_GROUPS,
  ASSET_IDS,
  type AssetId,
  assetsNamed,
  DEFAULT_ASSET_IDS,
  fetchAssets,
  isAssetId,
} from '@unpin/test-host';
import type { GlobalOptions } from '../program.ts';
import { fetchProgressText } from '../render/fetch-progress.ts';
import { print, progressLine } from '../render/print.ts';
import { table } from '../render/table.ts';

/** Everything, unless parts are named. */
export async function testHostFetch(globals: GlobalOptions, names: readonly string[]): Promise<number> {
  const ids: readonly AssetId[] = names.length === 0 ? DEFAULT_ASSET_IDS : names.flatMap(requireAssets);
  const progress = progressLine(globals.json === true);
  const records = await fetchAssets(ids, { onProgress: (step) => progress.show(fetchProgressText(step)) });
  progress.clear();
  print(globals.json, { assets: records }, () => table(records.map((r) => [r.id, r.version, r.file])));
  return 0;
}

/** The asset of that name. Throws NOT_FOUND. */
export function requireAsset(name: string): AssetId {
  if (!isAssetId(name)) throw noAsset(name, ASSET_IDS);
  return name;
}

/** The assets of that name, which may be that of a group. Throws NOT_FOUND. */
function requireAssets(name: string): readonly AssetId[] {
  const ids = assetsNamed(name);
  if (ids === undefined) throw noAsset(name, [...ASSET_GROUPS.keys(), ...ASSET_IDS]);
  return ids;
}

function noAsset(name: string, known: readonly string[]): UnpinError {
  return new UnpinError('NOT_FOUND', { subject: `asset '${name}'`, needed: `one of ${known.join(', ')}` });
}
