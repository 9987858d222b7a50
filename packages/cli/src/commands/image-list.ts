import { styleText } from 'node:util';
import { STATEMENTS } from '@unpin/policy';
import { controlClient } from '../control-client.ts';
import type { GlobalOptions } from '../program.ts';
import { print } from '../render/print.ts';
import { table } from '../render/table.ts';
import { mark } from '../render/verdict.ts';

export async function imageList(globals: GlobalOptions): Promise<number> {
  const { images } = await controlClient(globals).listImages({});
  print(globals.json, { images }, () =>
    table([
      ['IMAGE', 'STATE', ...STATEMENTS.map((s) => s.id), 'KERNEL'].map((h) => styleText('bold', h)),
      ...images.map((image) => [
        image.name,
        image.state,
        ...STATEMENTS.map((s) => (image.verdict === undefined ? '' : mark(image.verdict.statements[s.id]))),
        image.verdict?.kernel.banner?.split(' ').slice(0, 3).join(' ') ?? (image.builtIn ? 'built in' : ''),
      ]),
    ]),
  );
  return 0;
}
