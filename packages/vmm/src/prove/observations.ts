import { type Evidence, type Observation, RUN_IN_LOCKSTEP } from '@unpin/policy';
import { rootOf } from './divergence.ts';
import type { Proof } from './proof.ts';

/** What a proof says of the boot set that was run: nothing where it says nothing. Pure. */
export function observationsOf(proof: Proof): readonly Observation[] {
  switch (proof.outcome) {
    case 'unknown':
      return [];
    case 'same':
      return fine(proof);
    case 'diverged':
      return isGuestsDoing(proof) ? [fault(proof)] : [];
  }
}

function fine(proof: Proof): readonly Observation[] {
  const evidence = evidenceOf(proof);
  const shared: readonly Observation[] = [
    { statement: 'sev-guest', answer: 'yes', summary: 'ran as an SEV guest, up to user space', evidence },
    {
      statement: 'reports-conversions',
      answer: 'yes',
      summary: `reported ${proof.conversions} conversions in a run`,
      evidence,
    },
  ];
  // The judge knows pages, not bytes: a lie that changed nothing is no proof of a fault, and no sign of none.
  if (proof.lies > 0) return shared;
  const summary = 'did the same as sev and as sev-upm: no byte was lost';
  return [...shared, { statement: 'reports-correctly', answer: 'yes', summary, evidence }];
}

function fault(proof: Proof): Observation {
  const evidence = evidenceOf(proof);
  return proof.conversions === 0
    ? {
        statement: 'reports-conversions',
        answer: 'no',
        summary: 'lost bytes as sev-upm: it reported nothing',
        evidence,
      }
    : { statement: 'reports-correctly', answer: 'no', summary: 'lost bytes as sev-upm for all its reports', evidence };
}

/** A difference that nothing explains may be ours. */
function isGuestsDoing({ divergence }: Proof): boolean {
  if (divergence === undefined) return false;
  if (divergence.loss === undefined) return divergence.lie !== undefined;
  return rootOf(divergence.loss).origin.kind !== 'unexplained';
}

function evidenceOf(proof: Proof): Evidence {
  return {
    signal: RUN_IN_LOCKSTEP,
    where: `as sev beside sev-upm, emulated, seed ${proof.seed}`,
    seen: proof.divergence === undefined ? course(proof) : difference(proof),
  };
}

function course({ instructions, end, conversions, convertedBytes, windows, lastLine }: Proof): string {
  const to = end === undefined ? '' : ` to ${endText(end)}`;
  const mib = Math.round(convertedBytes / 2 ** 20);
  const reports = `${conversions} conversions of ${mib} MiB`;
  return `${count(instructions)} instructions${to}, compared ${count(windows)} times; ${reports}; last line: ${lastLine}`;
}

function difference({ divergence, conversions }: Proof): string {
  if (divergence === undefined) return '';
  const { at, loss } = divergence;
  const where = `instruction ${count(at.after)} at ${at.symbol ?? at.rip} differed`;
  const lost = loss === undefined ? '' : `: GPA 0x${loss.bytes.gpa.toString(16)}`;
  return `${where}${lost}; ${conversions} conversions`;
}

/** Why a run ended, in a few words. */
export function endText(end: NonNullable<Proof['end']>): string {
  switch (end.kind) {
    case 'ended':
      return end.reason;
    case 'crashed':
      return `a crash (${end.detail})`;
    case 'text':
      return 'the text that was waited for';
    case 'guest-time':
      return "the end of the guest's time";
  }
}

function count(value: number): string {
  return value.toLocaleString('en');
}
