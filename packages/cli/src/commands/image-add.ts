import { resolve } from 'node:path';
import { type ImageBoot, UnpinError } from '@unpin/contract';
import { controlClient, until } from '../control-client.ts';
import type { GlobalOptions } from '../program.ts';
import { imageText } from '../render/image.ts';
import { print, progressLine } from '../render/print.ts';

interface Options {
  readonly kernel?: string;
  readonly initrd?: string;
  readonly disk?: string;
  readonly backing?: readonly string[];
  readonly entry?: string;
  readonly commandLine?: string;
}

/** Longest wait for an agent's verdict, in milliseconds: an xz kernel takes seconds on a slow machine. */
const INSPECTION_MS = 60_000;

export async function imageAdd(globals: GlobalOptions, name: string, options: Options): Promise<number> {
  const client = controlClient(globals);
  const boot = bootOf(options);
  await client.addImage({ body: { name, boot } });
  const progress = progressLine(globals.json === true);
  progress.show(`inspecting ${boot.kind === 'disk' ? boot.path : boot.kernel}`);
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

/** @throws UnpinError USAGE unless it is either a kernel or a disk, with what goes with it */
function bootOf({ kernel, initrd, disk, backing, entry, commandLine }: Options): Exclude<ImageBoot, { kind: 'probe' }> {
  const words = commandLine === undefined ? {} : { commandLine };
  if (disk !== undefined && kernel === undefined && initrd === undefined)
    return {
      kind: 'disk',
      path: resolve(disk),
      ...(backing === undefined ? {} : { backing: backing.map((file) => resolve(file)) }),
      ...(entry === undefined ? {} : { entry }),
      ...words,
    };
  if (kernel !== undefined && disk === undefined && backing === undefined && entry === undefined)
    return {
      kind: 'linux',
      kernel: resolve(kernel),
      ...(initrd === undefined ? {} : { initrd: resolve(initrd) }),
      ...words,
    };
  throw new UnpinError('USAGE', {
    subject: 'unpin image add',
    needed: 'either --kernel with --initrd, or --disk with --entry and --backing',
  });
}
