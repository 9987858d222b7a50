import { UnpinError } from '@unpin/contract';
import { ASSET_IDS, type AssetId, fetchAssets, isAssetId } from '@unpin/test-host';
import type { GlobalOptions } from '../program.ts';
import { fetchProgressText } from '../render/fetch-progress.ts';
import { print, progressLine } from '../render/print.ts';
import { table } from '../render/table.ts';

/** Everything, unless parts are named. */
export async function testHostFetch(globals: GlobalOptions, names: readonly string[]): Promise<number> {
  const ids: readonly AssetId[] = names.length === 0 ? ASSET_IDS : names.map(requireAsset);
  const progress = progressLine(globals.json === true);
  const records = await fetchAssets(ids, { onProgress: (step) => progress.show(fetchProgressText(step)) });
  progress.clear();
  print(globals.json, { assets: records }, () => table(records.map((r) => [r.id, r.version, r.file])));
  return 0;
}

/** The asset of that name. Throws NOT_FOUND. */
export function requireAsset(name: string): AssetId {
  if (!isAssetId(name))
    throw new UnpinError('NOT_FOUND', { subject: `asset '${name}'`, needed: `one of ${ASSET_IDS.join(', ')}` });
  return name;
}
