/** A kernel of the set on a disk like Debian's, in one of the formats: what an inspection finds of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ImageInspectionMessage } from '@unpin/contract';
import { inspectConfined } from '../../src/confined/index.ts';
import { makeImage } from './build.ts';
import type { DiskSpec } from './disk.ts';
import type { Format } from './formats.ts';
import { kernelOf } from './kernels.ts';
import { espAndRoot } from './layouts.ts';

/** Inspects a disk in a format; the image is made for it, and gone afterwards. */
export async function inspectAs(format: Format, disk: DiskSpec): Promise<ImageInspectionMessage> {
  const folder = mkdtempSync(join(tmpdir(), 'unpin-image-'));
  try {
    const image = makeImage({ format, disk }, folder);
    // Nobody but the person who inspects says what may stand behind an image.
    const backing = format === 'qcow2-backing' ? ['middle.qcow2', 'base.raw'] : [];
    return await inspectConfined({ image, backing: backing.map((file) => join(dirname(image), file)) });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The statements that a kernel gets in a format: of each the answer and its level, 'yes proven'. */
export async function statementsIn(format: Format, asset: string): Promise<Readonly<Record<string, string>>> {
  const { verdict } = await inspectAs(format, espAndRoot('gpt', [kernelOf(asset)]));
  const rows = Object.entries(verdict.statements).map(([id, { answer, level }]) => [id, `${answer} ${level}`]);
  return Object.fromEntries(rows) as Record<string, string>;
}
