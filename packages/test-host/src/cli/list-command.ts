import { UnpinError } from '@unpin/contract/errors';
import { ASSET_IDS, ASSETS, type AssetId } from '../debian/assets.ts';
import { assetPath, findAsset } from '../debian/fetch.ts';
import { assetIds, parse } from './parse.ts';

export function listCommand(args: readonly string[]): number {
  const { values } = parse({ args: [...args], options: { json: { type: 'boolean', default: false } } });
  const rows = ASSET_IDS.map((id) => ({ id, title: ASSETS[id].title, path: pathOf(id), asset: findAsset(id) }));
  if (values.json) process.stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`);
  else for (const { id, asset } of rows) process.stdout.write(`${id.padEnd(24)}${asset?.version ?? '-'}\n`);
  return 0;
}

function pathOf(id: AssetId): string | undefined {
  return findAsset(id) === undefined ? undefined : assetPath(id);
}

export function pathCommand(args: readonly string[]): number {
  const { positionals } = parse({ args: [...args], allowPositionals: true });
  const [id, ...more] = assetIds(positionals);
  if (id === undefined || more.length > 0)
    throw new UnpinError('USAGE', { subject: 'path', found: `${positionals.length} assets`, needed: 'one' });
  process.stdout.write(`${assetPath(id)}\n`);
  return 0;
}
