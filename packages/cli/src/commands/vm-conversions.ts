import { controlClient } from '../control-client.ts';
import type { GlobalOptions } from '../program.ts';
import { conversionLine } from '../render/memory-events.ts';
import { print } from '../render/print.ts';

export async function vmConversions(globals: GlobalOptions, name: string): Promise<number> {
  const answer = await controlClient(globals).listVmConversions({ params: { name }, query: {} });
  print(globals.json, answer, () =>
    [
      ...answer.conversions.map(conversionLine),
      `${answer.total} conversions${answer.conversions.length < answer.total ? `, the last ${answer.conversions.length} shown` : ''}`,
    ].join('\n'),
  );
  return 0;
}
