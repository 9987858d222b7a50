import { assetPath } from '@unpin/test-host';
import type { GlobalOptions } from '../program.ts';
import { print } from '../render/print.ts';
import { requireAsset } from './test-host-fetch.ts';

/** The file of a fetched asset, for scripts. */
export async function testHostPath(globals: GlobalOptions, name: string): Promise<number> {
  const path = assetPath(requireAsset(name));
  print(globals.json, { id: name, path }, () => path);
  return 0;
}
