import { styleText } from 'node:util';
import { UnpinError } from '@unpin/contract';
import type { Decision } from '@unpin/policy';
import { decisionText } from './decision.ts';

/** Prints an error for people (stderr) or programs (stdout) and answers the exit status. */
export function reportError(thrown: unknown, json: boolean): number {
  const error = UnpinError.from(thrown);
  if (json) process.stdout.write(`${JSON.stringify({ error: error.toBody() })}\n`);
  else process.stderr.write(errorText(error));
  return error.exitCode;
}

function errorText(error: UnpinError): string {
  const { found, needed, next } = error.parts;
  const rows: [string, string | undefined][] = [
    ['found', found],
    ['needed', needed],
    ['next', next],
  ];
  const lines = [
    `${styleText('red', 'error')} ${styleText('bold', error.code)}  ${error.parts.subject}: ${meaning(error)}`,
    ...rows.flatMap(([label, text]) =>
      text === undefined ? [] : [`  ${styleText('dim', label.padEnd(7))} ${indent(text)}`],
    ),
  ];
  return `${[...lines, ...admissionLines(error)].join('\n')}\n`;
}

/** A refused admission carries its decision: every need, finding, evidence, the types it may have, the remedy. */
function admissionLines(error: UnpinError): string[] {
  if (error.code !== 'ADMISSION_REFUSED' && error.code !== 'ADMISSION_UNKNOWN') return [];
  if (error.parts.detail === undefined) return [];
  return ['', decisionText(error.parts.detail as Decision), '', waysOn(error.parts.detail as Decision)];
}

function waysOn(decision: Decision): string {
  const ways = [`--waive REASON runs it all the same and names its lies`];
  if (decision.reasons.some((r) => r.need === 'reports-conversions' && r.outcome !== 'met'))
    ways.push('--probation starts it unpinned and falls back to pinned');
  return `${styleText('dim', 'or')} ${ways.join('; ')}`;
}

function meaning(error: UnpinError): string {
  return error.message.slice(error.parts.subject.length + 2).replace(/ \((found|needed) [\s\S]*\)$/, '');
}

function indent(text: string): string {
  return text.replaceAll('\n', `\n${' '.repeat(10)}`);
}
