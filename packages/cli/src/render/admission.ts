import { styleText } from 'node:util';
import type { AdmissionReasonMessage } from '@unpin/contract';
import type { Carrot, VmTypeId } from '@unpin/policy';

/** What an answer has that people are shown: of unpin's own admission, and of the check for Nova. */
export interface ShownAdmission {
  readonly outcome: 'may' | 'may-not' | 'unknown' | 'waived' | 'untouched';
  readonly type?: string;
  readonly image?: string;
  readonly reasons: readonly (Omit<AdmissionReasonMessage, 'evidence'> & {
    readonly evidence: readonly { readonly signal: string; readonly where: string; readonly seen: string }[];
  })[];
  readonly alternatives: readonly VmTypeId[];
  readonly carrots: readonly Carrot[];
  readonly probation?: { readonly fallback: VmTypeId };
  readonly warnings?: readonly string[];
}

/** An admission for people: the answer and what stands in its way; explained, also what holds, evidence, and what else there is. */
export function admissionText(answer: ShownAdmission, explained: boolean): string {
  const shown = answer.reasons.filter(({ outcome }) => explained || outcome !== 'met');
  const remedies = answer.reasons.filter(({ outcome }) => outcome !== 'met').map(({ remedy }) => remedy);
  return [
    headline(answer),
    ...shown.flatMap((reason) => reasonLines(reason, explained)),
    ...(answer.warnings ?? []).map((warning) => `  ${styleText('yellow', '!')} ${warning}`),
    ...row('it may have', answer.alternatives.length === 0 ? [] : [answer.alternatives.join(', ')]),
    ...row('to qualify', [...new Set(remedies)]),
    ...(answer.outcome !== 'may' && answer.probation !== undefined
      ? row('probation', [`it may be tried unpinned, and falls back on ${answer.probation.fallback}`])
      : []),
    ...(explained
      ? row(
          'to gain',
          answer.carrots.map(({ type, gains }) => `as ${type}: ${gains.join(', ')}`),
        )
      : []),
  ].join('\n');
}

function headline({ outcome, type, image }: ShownAdmission): string {
  const subject = image === undefined ? '' : `${styleText('bold', image)} `;
  const as = type === undefined ? '' : ` as ${styleText('bold', type)}`;
  switch (outcome) {
    case 'may':
      return `${subject}${styleText('green', 'may run')}${as}`;
    case 'may-not':
      return `${subject}${styleText('red', 'may not run')}${as}`;
    case 'unknown':
      return `${subject}${styleText('yellow', 'is not known to run')}${as}`;
    case 'waived':
      return `${subject}${styleText('yellow', 'runs on a waiver')}${as}`;
    case 'untouched':
      return 'nothing to decide: no encrypted memory is asked for';
  }
}

function reasonLines(reason: ShownAdmission['reasons'][number], explained: boolean): string[] {
  const { code, outcome, says, found, exception, why, evidence } = reason;
  const sign = outcome === 'met' ? styleText('green', '✓') : styleText('red', '✗');
  const raised = exception === undefined ? '' : ` (Nova: ${exception})`;
  return [
    `  ${sign} ${styleText('bold', code)}${raised}  ${says}`,
    `      found: ${found.summary} (${found.level})`,
    ...(explained && outcome !== 'met' && why !== '' ? [`      why it matters: ${why}`] : []),
    ...(explained ? evidence.map(({ signal, where, seen }) => `      evidence: ${signal} in ${where}: ${seen}`) : []),
  ];
}

function row(label: string, texts: readonly string[]): string[] {
  return texts.map((text, index) => `${styleText('bold', (index === 0 ? label : '').padEnd(13))}${text}`);
}
