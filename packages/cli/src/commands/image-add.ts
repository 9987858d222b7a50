import { resolve } from 'node:path';
import { UnpinError } from '@unpin/contract';
import { controlClient, until } from '../control-client.ts';
import type { GlobalOptions } from '../program.ts';
import { imageText } from '../render/image.ts';
import { print, progressLine } from '../render/print.ts';

interface Options {
  readonly kernel: string;
  readonly initrd?: string;
  readonly commandLine?: string;
}

/** Longest wait for an agent's verdict, in milliseconds: an xz kernel takes seconds on a slow machine. */
const INSPECTION_MS = 60_000;

export async function imageAdd(globals: GlobalOptions, name: string, options: Options): Promise<number> {
  const client = controlClient(globals);
  await client.addImage({
    body: {
      name,
      boot: {
        kind: 'linux',
        kernel: resolve(options.kernel),
        ...(options.initrd === undefined ? {} : { initrd: resolve(options.initrd) }),
        ...(options.commandLine === undefined ? {} : { commandLine: options.commandLine }),
      },
    },
  });
  const progress = progressLine(globals.json === true);
  progress.show(`inspecting ${options.kernel}`);
  const image = await until(
    () => client.getImage({ params: { name } }),
    (view) => view.state !== 'inspecting',
    INSPECTION_MS,
  );
  progress.clear();
  if (image.error !== undefined) throw UnpinError.fromBody(image.error);
  print(globals.json, image, () => imageText(image, false));
  return 0;
}
