import { controlClient, until } from '../control-client.ts';
import type { GlobalOptions } from '../program.ts';
import { print } from '../render/print.ts';
import { vmText } from '../render/vm.ts';

/** Longest wait for a VM to end, in milliseconds. */
const STOP_MS = 30_000;

export async function vmStop(globals: GlobalOptions, name: string): Promise<number> {
  const vm = await stopAndWait(globals, name);
  print(globals.json, vm, () => vmText(vm));
  return 0;
}

/** Wants the VM stopped and waits until its host says that it has ended. */
export async function stopAndWait(globals: GlobalOptions, name: string) {
  const client = controlClient(globals);
  await client.stopVm({ params: { name } });
  return until(
    () => client.getVm({ params: { name } }),
    (vm) => vm.state === 'ended' || vm.state === 'failed',
    STOP_MS,
  );
}
