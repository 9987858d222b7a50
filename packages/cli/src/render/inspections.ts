import type { InspectFormat } from '../commands/image-inspect.ts';
import { type Formatted, gceFormat } from '../formats/gce.ts';
import { kubevirtFormat } from '../formats/kubevirt.ts';
import { novaFormat } from '../formats/nova.ts';
import type { Shown } from '../local/answer-inspections.ts';
import { inspectionText } from './inspection.ts';
import { inspectionTable } from './inspection-table.ts';

export interface ShowOptions {
  readonly format: InspectFormat;
  /** One image was named: it is shown in full. */
  readonly single: boolean;
  readonly evidence: boolean;
}

/** Prints what was found: to stdout what a program or a person asked for, to stderr what must be known beside it. */
export function showInspections(shown: readonly Shown[], { format, single, evidence }: ShowOptions): void {
  switch (format) {
    case 'json':
      process.stdout.write(`${JSON.stringify(single ? jsonOf(shown[0]) : { images: shown.map(jsonOf) }, null, 2)}\n`);
      return;
    case 'text':
      process.stdout.write(`${single ? textOf(shown[0], evidence) : inspectionTable(shown)}\n`);
      return;
    case 'gce':
    case 'nova':
    case 'kubevirt':
      for (const each of shown) showFormatted(each, format, single);
  }
}

function jsonOf(shown: Shown | undefined): unknown {
  if (shown === undefined) return {};
  return 'document' in shown ? shown.document : { name: shown.name, error: shown.error.toBody() };
}

function textOf(shown: Shown | undefined, evidence: boolean): string {
  return shown !== undefined && 'document' in shown ? inspectionText(shown.document, evidence) : '';
}

function showFormatted(shown: Shown, format: 'gce' | 'nova' | 'kubevirt', single: boolean): void {
  if ('error' in shown) {
    process.stderr.write(`# ${shown.error.message}\n`);
    return;
  }
  const { document } = shown;
  const { value, notes } = formatted(shown, format);
  const separator = format === 'kubevirt' ? '---\n' : '';
  if (!single) process.stdout.write(`${separator}# ${document.name}\n`);
  if (value !== '') process.stdout.write(`${value}\n`);
  const [obstacle] = document.verdict.obstacles;
  const all = [...notes, ...(obstacle === undefined ? [] : [`obstacle: ${obstacle}`])];
  for (const note of all) process.stderr.write(`# ${single ? '' : `${document.name}: `}${note}\n`);
}

function formatted(
  { document }: Extract<Shown, { document: unknown }>,
  format: 'gce' | 'nova' | 'kubevirt',
): Formatted {
  const { verdict, layers } = document;
  switch (format) {
    case 'gce':
      return gceFormat(verdict);
    case 'nova':
      return novaFormat(verdict, layers.partitions === undefined ? undefined : layers.volumes.some(isEfi));
    case 'kubevirt':
      return kubevirtFormat(verdict);
  }
}

/** An EFI system partition is FAT; other FAT volumes on a disk that boots are rare. */
function isEfi({ holds }: { readonly holds: string }): boolean {
  return holds.startsWith('FAT');
}
