import { PAGE_BYTES } from '@unpin/kvm';
import type { ConversionRecord, LieRecord } from '../machine/messages.ts';
import {
  type Divergence,
  type Loss,
  type LostBytes,
  type Origin,
  type Place,
  type RegisterDifference,
  rootOf,
} from './divergence.ts';
import { lieOf } from './lie-of.ts';
import { firstDifference, lastParting, type Moment, momentAt } from './moments.ts';
import type { Both, Pair } from './pair.ts';
import type { LookAnswer, OperandBytes, WatchedBytes } from './subject-messages.ts';

/** How often bytes may have been passed on before nobody asks any further. */
const DEEPEST = 4;
/** Instructions with which a guest has the host do something. */
const HOST_DOES = /^(wrmsr|out|outs|ins|in|rep (ins|outs))/;
const REPORTS = /^(vmmcall|vmcall)/;

export interface DivergenceSearch {
  readonly pair: Pair;
  /** Instructions before the window that ends differently. */
  readonly from: number;
  readonly window: number;
  /** Told what is looked for. */
  readonly onStep: (what: string) => void;
}

/** The first instruction that differs, the bytes that it lacked, and where they were lost. */
export async function findDivergence(search: DivergenceSearch): Promise<Divergence> {
  const { pair, from, window, onStep } = search;
  onStep(`looking for the first instruction that differs, behind ${from}`);
  const at = await firstDifference(pair, from, window);
  const moment = await momentAt(pair, at);
  const loss = await lossAt(search, moment, DEEPEST);
  const lie = lieAbout(loss, moment.behind[1].lies);
  return {
    at: placeOf(moment.before[0]),
    registers: differingRegisters(moment.behind),
    ...(loss === undefined ? {} : { loss }),
    ...(lie === undefined ? {} : { lie: lieOf(lie) }),
  };
}

/** What memory an instruction read that differs, and why. */
async function lossAt(search: DivergenceSearch, moment: Moment, depth: number): Promise<Loss | undefined> {
  const found = differingOperand(moment.before);
  if (found === undefined) return undefined;
  const { bytes, watch } = found;
  return { bytes, origin: await originOf(search, watch, moment.before[0].retired, depth) };
}

async function originOf(search: DivergenceSearch, watch: WatchedBytes, until: number, depth: number): Promise<Origin> {
  const { pair, window, onStep } = search;
  onStep(`looking for what became of GPA 0x${watch.gpa.toString(16)} before ${until}`);
  const parted = await lastParting(pair, watch, until, window);
  if (parted === undefined) return { kind: 'undefined' };
  const moment = await momentAt(pair, parted, watch);
  const at = placeOf(moment.before[0]);
  const text = moment.before[0].text ?? '';
  // Where the guest had not used it through the view that it has from now on, the pinned page shows it garbage, too.
  if (REPORTS.test(text)) return { kind: moment.before[0].watchedIn === watch.view ? 'conversion' : 'undefined', at };
  if (HOST_DOES.test(text)) return { kind: 'host-write', at };
  const from = depth > 1 ? await lossAt(search, moment, depth - 1) : undefined;
  if (from !== undefined) return { kind: 'passed-on', at, from };
  return { kind: moment.before[0].operands.some(({ isWrite }) => isWrite) ? 'guest-write' : 'unexplained', at };
}

/** The first operand that the guest reads and whose bytes differ. */
function differingOperand([sev, upm]: Both<LookAnswer>):
  | { readonly bytes: LostBytes; readonly watch: WatchedBytes }
  | undefined {
  for (const [index, a] of sev.operands.entries()) {
    const b = upm.operands[index];
    if (!a.isRead || b === undefined || a.gpa === null || a.gpa !== b.gpa || a.bytes === null) continue;
    const range = differingRange(a.bytes, b.bytes);
    if (range === undefined) continue;
    const gpa = a.gpa + range.start;
    const length = range.end - range.start;
    return { bytes: lostBytes(a, b, range), watch: { gpa, length, view: b.view } };
  }
  return undefined;
}

interface Range {
  readonly start: number;
  readonly end: number;
}

function differingRange(a: Uint8Array, b: Uint8Array | null): Range | undefined {
  if (b === null) return { start: 0, end: a.length };
  const start = a.findIndex((byte, at) => byte !== b[at]);
  return start < 0 ? undefined : { start, end: a.findLastIndex((byte, at) => byte !== b[at]) + 1 };
}

/** More bytes than these are not shown. */
const SHOWN = 16;

function lostBytes(a: OperandBytes, b: OperandBytes, { start, end }: Range): LostBytes {
  const shown = (bytes: Uint8Array) => hex(bytes.subarray(start, Math.min(end, start + SHOWN)));
  return {
    gpa: (a.gpa ?? 0) + start,
    length: end - start,
    view: b.view,
    attribute: b.attribute,
    sev: a.bytes === null ? '' : shown(a.bytes),
    ...(b.bytes === null ? {} : { upm: shown(b.bytes) }),
    ...(b.otherSide === null ? {} : { otherSide: shown(b.otherSide) }),
    ...(b.conversion === undefined ? {} : { report: reportOf(b.conversion) }),
  };
}

function reportOf({ to, gpa, bytes, rip }: ConversionRecord): NonNullable<LostBytes['report']> {
  return { to, gpa, bytes, by: { after: 0, rip: hexOf(rip) } };
}

function differingRegisters([sev, upm]: Both<LookAnswer>): readonly RegisterDifference[] {
  return [...sev.registers].flatMap(([name, value]) => {
    const other = upm.registers.get(name) ?? '';
    return other === value ? [] : [{ name, sev: value, upm: other }];
  });
}

/** What the judge said of the page that the loss began at; his last word where no memory of the guest's tells it. */
function lieAbout(loss: Loss | undefined, lies: readonly LieRecord[]): LieRecord | undefined {
  if (loss === undefined) return lies.at(-1);
  const { gpa } = rootOf(loss).bytes;
  return lies.findLast((lie) => pageOf(lie.gpa) === pageOf(gpa));
}

function pageOf(gpa: number): number {
  return Math.floor(gpa / PAGE_BYTES);
}

function placeOf({ retired, rip, text }: LookAnswer): Place {
  return { after: retired, rip: hexOf(rip), ...(text === undefined ? {} : { text }) };
}

function hexOf(value: bigint): string {
  return `0x${value.toString(16)}`;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
