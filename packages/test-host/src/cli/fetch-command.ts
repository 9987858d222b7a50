import { DEFAULT_ASSET_IDS } from '../debian/assets.ts';
import { type FetchProgress, fetchAssets } from '../debian/fetch.ts';
import { assetIds, parse } from './parse.ts';

export async function fetchCommand(args: readonly string[]): Promise<number> {
  const { values, positionals } = parse({
    args: [...args],
    allowPositionals: true,
    options: { update: { type: 'boolean', default: false } },
  });
  const ids = positionals.length === 0 ? DEFAULT_ASSET_IDS : assetIds(positionals);
  await fetchAssets(ids, {
    update: values.update,
    onProgress: (progress) => process.stderr.write(`${line(progress)}\n`),
  });
  return 0;
}

function line(progress: FetchProgress): string {
  switch (progress.stage) {
    case 'waiting for another fetch':
      return progress.stage;
    case 'reading indexes':
      return `${progress.stage} of ${progress.group}`;
    case 'present':
    case 'downloading':
    case 'unpacking':
    case 'done':
      return `${progress.asset} ${progress.version}: ${progress.stage}`;
  }
}
