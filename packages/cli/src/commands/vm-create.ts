import { type CreateVm, UnpinError, type VmView } from '@unpin/contract';
import { controlClient, until } from '../control-client.ts';
import type { GlobalOptions } from '../program.ts';
import { print, progressLine } from '../render/print.ts';
import { parseSize } from '../render/units.ts';
import { vmText } from '../render/vm.ts';

interface Options {
  readonly image: string;
  readonly type: string;
  readonly memory: string;
  readonly waive?: string;
  readonly probation?: boolean;
  readonly execution?: NonNullable<CreateVm['allow']>;
  readonly wait: boolean;
}

/** Longest wait for a VM to run, in milliseconds: pinning takes time with size. */
const START_MS = 120_000;

export async function vmCreate(globals: GlobalOptions, name: string, options: Options): Promise<number> {
  const client = controlClient(globals);
  const created = await client.createVm({
    body: {
      name,
      image: options.image,
      type: options.type,
      memoryBytes: parseSize(options.memory, '--memory'),
      ...(options.execution === undefined ? {} : { allow: options.execution }),
      ...(options.waive === undefined
        ? {}
        : { waiver: { by: process.env['USER'] ?? 'operator', reason: options.waive } }),
      ...(options.probation === true ? { probation: true } : {}),
    },
  });
  const vm = options.wait ? await waitUntilItRuns(globals, client, created) : created;
  if (vm.state === 'failed' && vm.error !== undefined) throw UnpinError.fromBody(vm.error);
  print(globals.json, vm, () => vmText(vm));
  return 0;
}

async function waitUntilItRuns(
  globals: GlobalOptions,
  client: ReturnType<typeof controlClient>,
  created: VmView,
): Promise<VmView> {
  const progress = progressLine(globals.json === true);
  const vm = await until(
    async () => {
      const view = await client.getVm({ params: { name: created.name } });
      progress.show(`${view.name}: ${view.state}`);
      return view;
    },
    (view) => view.state === 'running' || view.state === 'ended' || view.state === 'failed',
    START_MS,
  );
  progress.clear();
  return vm;
}
