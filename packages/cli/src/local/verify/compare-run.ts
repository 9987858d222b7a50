import type { Conversion, Lie, VmReport } from '@unpin/contract';
import { type Observation, RUN_AS_SEV, type StatementId, type Verdict } from '@unpin/policy';
import { isAtLeast, type Milestones } from './milestones.ts';

/** What one run of a boot set as an SEV guest did. */
export interface Run {
  readonly report: VmReport;
  readonly lies: readonly Lie[];
  /** The first of them; `report.figures.conversions` counts all. */
  readonly conversions: readonly Conversion[];
  readonly milestones: Milestones;
}

/** A statement of the verdict beside what the run showed. */
export interface Comparison {
  readonly statement: StatementId;
  readonly said: 'yes' | 'no' | 'unknown';
  /** `untold`: the run did not come to where it would show. */
  readonly did: 'yes' | 'no' | 'untold';
  readonly outcome: 'agrees' | 'contradicts' | 'new' | 'untold';
  readonly why: string;
}

interface Shown {
  readonly did: Comparison['did'];
  readonly why: string;
}

/** What the run showed of each statement that it can show. Pure. */
export function compareRun(verdict: Verdict, run: Run): readonly Comparison[] {
  const shown: readonly (readonly [StatementId, Shown])[] = [
    ['sev-guest', sevGuest(run)],
    ['reports-conversions', reports(run)],
    ['reports-correctly', reportsCorrectly(run)],
  ];
  return shown.map(([statement, { did, why }]) => {
    const said = verdict.statements[statement].answer;
    return { statement, said, did, outcome: outcomeOf(statement, said, did), why };
  });
}

/**
 * A run that goes well is no argument against a `no` on how right the reports are: that speaks of paths that it may not
 * have taken.
 */
function outcomeOf(statement: StatementId, said: Comparison['said'], did: Comparison['did']): Comparison['outcome'] {
  if (did === 'untold') return 'untold';
  if (said === 'unknown') return 'new';
  if (said === did) return 'agrees';
  return statement === 'reports-correctly' && did === 'yes' ? 'untold' : 'contradicts';
}

/** Its memory was private from the first instruction on: page tables without the C bit would have led to garbage. */
function sevGuest({ milestones }: Run): Shown {
  const { stage } = milestones;
  if (isAtLeast(stage, 'sev-active')) return { did: 'yes', why: 'it said that SEV is active' };
  if (isAtLeast(stage, 'kernel')) return { did: 'yes', why: 'it ran in private memory by page tables of its own' };
  return { did: 'untold', why: 'it said nothing at all' };
}

function reports({ report, milestones }: Run): Shown {
  const { conversions } = report.figures;
  if (conversions > 0) return { did: 'yes', why: `${conversions} conversions were reported` };
  // Its kvm-clock page is converted before it says anything of SEV.
  if (report.wrongViewAccesses > 0 || isAtLeast(milestones.stage, 'sev-active'))
    return { did: 'no', why: `none was reported, and ${report.wrongViewAccesses} accesses were through another view` };
  return { did: 'untold', why: 'it did not come to its first conversion' };
}

function reportsCorrectly({ report, lies, milestones }: Run): Shown {
  const [first] = lies;
  if (first !== undefined)
    return {
      did: 'no',
      why: `${lies.length === 1 ? 'a byte was' : `${lies.length} bytes or pages were`} lost, the first at ${first.symbol ?? first.rip}: ${first.onHardware}`,
    };
  if (report.figures.conversions === 0) return { did: 'untold', why: 'nothing was reported' };
  if ((report.saturatedPages ?? 0) > 0)
    return { did: 'untold', why: `${report.saturatedPages} pages changed views too often to be watched` };
  return isAtLeast(milestones.stage, 'initialised')
    ? { did: 'yes', why: 'no byte was read through another view than it was written through' }
    : { did: 'untold', why: `no byte was lost, but it came only as far as: ${milestones.stage}` };
}

/** What the run adds to the verdict. Pure. */
export function observationsOfRun(run: Run, comparisons: readonly Comparison[]): readonly Observation[] {
  const { report, milestones } = run;
  const evidence = {
    signal: RUN_AS_SEV,
    where: `as ${report.type}, ${report.execution}`,
    seen: `came as far as ${milestones.stage}; ${report.figures.conversions} conversions, ${report.lies} lies; last line: ${milestones.lastLine}`,
  };
  return comparisons.flatMap(({ statement, did, why }) =>
    did === 'untold' ? [] : [{ statement, answer: did, summary: `in a run: ${why}`, evidence }],
  );
}

/** 0 the run did as the verdict says, 1 a contradiction, 2 it can't be told. */
export function exitOfRun(comparisons: readonly Comparison[]): number {
  if (comparisons.some(({ outcome }) => outcome === 'contradicts')) return 1;
  // How right the reports are can only be told of a guest that reports.
  const told = comparisons.filter(({ statement }) => statement !== 'reports-correctly');
  return told.every(({ outcome }) => outcome === 'agrees') ? 0 : 2;
}
