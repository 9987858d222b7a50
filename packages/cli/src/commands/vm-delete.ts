import { controlClient } from '../control-client.ts';
import type { GlobalOptions } from '../program.ts';
import { print } from '../render/print.ts';
import { stopAndWait } from './vm-stop.ts';

export async function vmDelete(globals: GlobalOptions, name: string): Promise<number> {
  await stopAndWait(globals, name);
  const vm = await controlClient(globals).deleteVm({ params: { name } });
  print(globals.json, vm, () => `${name} deleted`);
  return 0;
}
