import { UnpinError } from '@unpin/contract';
import { ASSET_IDS, ASSETS } from '../debian/assets.ts';
import { assetPath, findAsset } from '../debian/fetch.ts';
import { assetIds, parse } from './parse.ts';

export function listCommand(args: readonly string[]): number {
  const { values } = parse({ args: [...args], options: { json: { type: 'boolean', default: false } } });
  const rows = ASSET_IDS.map((id) => {
    const record = findAsset(id);
    const { title } = ASSETS[id];
    return record === undefined ? { id, title } : { ...record, title, path: assetPath(id) };
  });
  if (values.json) process.stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`);
  else for (const row of rows) process.stdout.write(`${row.id.padEnd(20)}${'version' in row ? row.version : '-'}\n`);
  return 0;
}

export function pathCommand(args: readonly string[]): number {
  const { positionals } = parse({ args: [...args], allowPositionals: true });
  const [id, ...more] = assetIds(positionals);
  if (id === undefined || more.length > 0)
    throw new UnpinError('USAGE', { subject: 'path', found: `${positionals.length} assets`, needed: 'one' });
  process.stdout.write(`${assetPath(id)}\n`);
  return 0;
}
