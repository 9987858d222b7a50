import { styleText } from 'node:util';
import { type Decision, decide, type Verdict, vmTypes } from '@unpin/policy';
import { inspectFile } from '../local/inspect.ts';
import type { GlobalOptions } from '../program.ts';
import { decisionText } from '../render/decision.ts';
import { print } from '../render/print.ts';
import { verdictText } from '../render/verdict.ts';
import { requireVmType } from './vm-types.ts';

interface Options {
  readonly commandLine?: string;
  readonly check?: string;
  readonly evidence?: boolean;
}

export async function imageInspect(globals: GlobalOptions, file: string, options: Options): Promise<number> {
  const type = options.check === undefined ? undefined : requireVmType(options.check);
  const verdict = inspectFile(file, options.commandLine === undefined ? {} : { commandLine: options.commandLine });
  if (type !== undefined) {
    const decision = decide(type, verdict);
    print(globals.json, { verdict, decision }, () => decisionText(decision));
    return exitOf(decision);
  }
  print(globals.json, { verdict, types: allowed(verdict) }, () => {
    const types = allowed(verdict);
    return [
      verdictText(verdict, options.evidence === true),
      '',
      `${styleText('bold', 'may run as')}  ${types.may.join(', ')}`,
      ...(types.mayNot.length === 0 ? [] : [`${styleText('bold', 'may not')}     ${types.mayNot.join(', ')}`]),
      ...(types.unknown.length === 0 ? [] : [`${styleText('bold', 'unknown')}     ${types.unknown.join(', ')}`]),
    ].join('\n');
  });
  return 0;
}

/** 0 may, 1 may not, 2 unknown. */
export function exitOf(decision: Decision): number {
  switch (decision.outcome) {
    case 'may':
    case 'waived':
      return 0;
    case 'may-not':
      return 1;
    case 'unknown':
      return 2;
  }
}

function allowed(verdict: Verdict): { may: string[]; mayNot: string[]; unknown: string[] } {
  const outcomes = vmTypes().map((type) => decide(type, verdict));
  const of = (outcome: Decision['outcome']) => outcomes.filter((d) => d.outcome === outcome).map((d) => d.type);
  return { may: of('may'), mayNot: of('may-not'), unknown: of('unknown') };
}
