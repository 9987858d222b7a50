import { styleText } from 'node:util';
import type { ImageEntry, ImageVerdictDocument } from '@unpin/contract';
import { claimsText } from './claims.ts';
import { decisionText } from './decision.ts';
import { table } from './table.ts';
import { bytes, duration } from './units.ts';
import { firmwareText, verdictText } from './verdict.ts';

/** One image for people: what it is made of, what boots, what that can do, and where it may run. */
export function inspectionText(document: ImageVerdictDocument, evidence: boolean): string {
  const { verdict, types, decision, claims, layers, entries } = document;
  const isDisk = layers.container !== 'kernel';
  if (decision !== undefined && !evidence && claims === undefined) return decisionText(decision);
  const may = [
    ['may run as', types.may],
    ['may not', types.mayNot],
    ['unknown', types.unknown],
  ] as const;
  return [
    ...(isDisk ? [layersText(document), ...(entries.length === 0 ? [] : [entriesText(document)]), ''] : []),
    verdictText(verdict, evidence),
    ...(verdict.firmware === undefined ? [] : ['', firmwareText(verdict.firmware, evidence)]),
    '',
    ...may
      .filter(([, ids]) => ids.length > 0)
      .map(([label, ids]) => `${styleText('bold', label.padEnd(10))}  ${ids.join(', ')}`),
    ...(decision === undefined ? [] : ['', decisionText(decision)]),
    ...(claims === undefined ? [] : ['', claimsText(claims)]),
    ...(isDisk ? ['', figuresText(document)] : []),
  ].join('\n');
}

function layersText({ name, layers }: ImageVerdictDocument): string {
  const { container, diskBytes, partitions, volumes, notes } = layers;
  const held = volumes.map(({ partition, holds }) => (partition === undefined ? holds : `${partition} ${holds}`));
  const disk = [
    container,
    ...(diskBytes === undefined ? [] : [bytes(diskBytes)]),
    ...(partitions === undefined || partitions === 'none' ? [] : [partitions.toUpperCase()]),
    ...(held.length === 0 ? [] : [held.join(', ')]),
  ];
  return [styleText('bold', name), disk.join(' · '), ...notes.map((note) => styleText('dim', `note  ${note}`))].join(
    '\n',
  );
}

const DECIDED: Readonly<Record<ImageVerdictDocument['decidedBy'], string>> = {
  default: 'the default boots',
  asked: 'as asked',
  only: 'the only one',
  worst: 'which one boots cannot be told: the worst counts',
  nothing: 'none counts',
};

function entriesText({ entries, decidedBy }: ImageVerdictDocument): string {
  const rows = entries.map((entry, index) => [
    entry.counts ? styleText('green', '→') : ' ',
    String(index + 1),
    entry.title,
    entry.loader,
    kernelOf(entry),
  ]);
  return [`boot entries: ${DECIDED[decidedBy]}`, table(rows)].join('\n');
}

function kernelOf({ kernel, initrds }: ImageEntry): string {
  return initrds.length === 0 ? kernel : `${kernel} + ${initrds.length === 1 ? 'initrd' : `${initrds.length} initrds`}`;
}

function figuresText({ figures }: ImageVerdictDocument): string {
  const { milliseconds, bytesRead, peakBytes } = figures;
  return styleText('dim', `${duration(milliseconds)}, ${bytes(bytesRead)} read, ${bytes(peakBytes)} of memory at most`);
}
