import { styleText } from 'node:util';
import { controlClient } from '../control-client.ts';
import type { GlobalOptions } from '../program.ts';
import { print } from '../render/print.ts';
import { table } from '../render/table.ts';
import { bytes } from '../render/units.ts';
import { typeNow } from '../render/vm.ts';

export async function vmList(globals: GlobalOptions): Promise<number> {
  const { vms } = await controlClient(globals).listVms({});
  print(globals.json, { vms }, () =>
    table([
      ['VM', 'STATE', 'TYPE', 'RUN BY', 'IMAGE', 'HOST', 'NOMINAL', 'RESIDENT', 'PINNED', 'LIES'].map((h) =>
        styleText('bold', h),
      ),
      ...vms.map((vm) => [
        vm.name,
        vm.state,
        typeNow(vm),
        vm.mark === '' ? vm.execution : styleText('yellow', vm.mark),
        vm.image,
        vm.host,
        bytes(vm.memoryBytes),
        vm.report === undefined ? '' : bytes(vm.report.figures.resident),
        vm.report === undefined ? '' : bytes(vm.report.figures.pinned),
        vm.report === undefined ? '' : String(vm.report.lies),
      ]),
    ]),
  );
  return 0;
}
