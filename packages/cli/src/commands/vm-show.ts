import { controlClient } from '../control-client.ts';
import type { GlobalOptions } from '../program.ts';
import { lieText } from '../render/memory-events.ts';
import { print } from '../render/print.ts';
import { vmText } from '../render/vm.ts';

export async function vmShow(globals: GlobalOptions, name: string): Promise<number> {
  const client = controlClient(globals);
  const vm = await client.getVm({ params: { name } });
  // A host that is too busy to name the lies now is no reason to show nothing of the VM.
  const lies =
    (vm.report?.lies ?? 0) > 0
      ? await client.listVmLies({ params: { name }, query: {} }).then(
          (answer) => answer.lies,
          () => [],
        )
      : [];
  print(globals.json, { ...vm, lieList: lies }, () =>
    [vmText(vm), ...lies.map((lie) => lieText(lie).replaceAll('\r', ''))].join('\n'),
  );
  return 0;
}
