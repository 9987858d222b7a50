import { styleText } from 'node:util';
import type { VmView } from '@unpin/contract';
import { decisionText } from './decision.ts';
import { figuresText } from './run-summary.ts';
import { bytes } from './units.ts';

/** One VM for people: what it is, how it is run, on what decision, and its figures. */
export function vmText(vm: VmView): string {
  const mark = vm.mark === '' ? vm.execution : styleText('yellow', vm.mark);
  return [
    `${styleText('bold', vm.name)}  ${vm.state}  ${typeNow(vm)} (${mark}${vm.confidential ? ', confidential' : ', not confidential'})  ${bytes(vm.memoryBytes)}  on ${vm.host}`,
    ...(vm.decision.outcome === 'may' ? [] : [decisionText(vm.decision)]),
    ...(vm.report?.probation === undefined ? [] : [`probation: ${vm.report.probation}`]),
    ...(vm.report?.ending === undefined
      ? []
      : [
          `ended: ${vm.report.ending.reason}${vm.report.ending.detail === undefined ? '' : `: ${vm.report.ending.detail}`}`,
        ]),
    ...(vm.error === undefined ? [] : [`${styleText('red', vm.error.code)} ${vm.error.message}`]),
    ...(vm.report === undefined ? [] : [figuresText(vm.report)]),
  ].join('\n');
}

/** The type that it was created as, and the one that it runs as where probation ended pinned. */
export function typeNow(vm: VmView): string {
  const now = vm.report?.type ?? vm.type;
  return now === vm.type ? vm.type : `${vm.type}, now ${now}`;
}
