/** Runs generated cases on the host's processor and on something else, and finds the first that differs. */
import type { Outcome } from './batch.ts';
import { type CompareOptions, compare, type Difference } from './compare.ts';
import { CpuState } from './cpu-state.ts';
import type { Generator, TestCase } from './generator.ts';
import { NO_VECTOR, RUNAWAY, STATE } from './layout.ts';
import type { NativeOracle } from './native.ts';
import { shrink } from './shrink.ts';

/** A piece of code at its place: it begins at `entry`, and ends when RIP is `end`. */
export interface Run {
  readonly code: Uint8Array;
  readonly entry: number;
  readonly end: number;
}

/** What is compared with the host's processor: an engine, or QEMU. */
export interface CaseRunner {
  /**
   * Runs from `state` in user mode, with `data` in data memory, until the end or the first exception, and leaves in both
   * what came of it (layout.ts: vector, error code and CR2 as well). An answer in words: it can't run this and says why.
   */
  run(run: Run, state: CpuState, data: Uint8Array): string | undefined | Promise<string | undefined>;
}

export interface DifferOptions extends CompareOptions {
  readonly generator: Generator;
  readonly native: NativeOracle;
  readonly runner: CaseRunner;
  readonly from?: number;
  readonly count: number;
  /** Cases handed to the host's processor at a time. Default 1,000. */
  readonly batch?: number;
  readonly onProgress?: (done: number) => void;
  /** Told of each mismatch; true goes on to the next case. Default: the first one ends it. */
  readonly onMismatch?: (mismatch: Mismatch) => boolean;
}

export interface Mismatch {
  /** As generated. */
  readonly original: TestCase;
  /** As small as it could be made. */
  readonly shrunk: TestCase;
  readonly differences: readonly Difference[];
  readonly expected: Outcome;
  readonly actual: CpuState;
}

export interface DifferReport {
  /** Cases that both ran to an end or an exception. */
  readonly compared: number;
  /** Of these, how many ended in each exception. */
  readonly vectors: ReadonlyMap<number, number>;
  /** What the runner said it can't do, and how often. */
  readonly unsupported: ReadonlyMap<string, number>;
  /** Sequences without an end (a stray jump back): not compared. */
  readonly runaways: number;
  /** The first. */
  readonly mismatch: Mismatch | undefined;
}

/** One case, run by both. */
export interface Verdict {
  readonly expected: Outcome;
  readonly actual: CpuState;
  readonly unsupported: string | undefined;
  readonly differences: readonly Difference[];
}

export async function differ(options: DifferOptions): Promise<DifferReport> {
  const { generator, native, count, from = 0, batch = 1000 } = options;
  const vectors = new Map<number, number>();
  const unsupported = new Map<string, number>();
  const bench = new Bench(options);
  let compared = 0;
  let runaways = 0;
  let first: Mismatch | undefined;
  for (let done = 0; done < count; done += batch) {
    const cases = Array.from({ length: Math.min(batch, count - done) }, (_, i) => generator.case(from + done + i));
    const outcomes = await native.run(cases.map(job));
    for (const [i, testCase] of cases.entries()) {
      const expected = outcomes[i];
      if (expected === undefined) throw new RangeError('the native oracle answered fewer cases than it was given');
      const vector = expected.state.wordAt(STATE.vector);
      if (vector === RUNAWAY) {
        runaways++;
        continue;
      }
      const pending = bench.judge(testCase, expected);
      const verdict = pending instanceof Promise ? await pending : pending;
      if (verdict.unsupported !== undefined) {
        unsupported.set(verdict.unsupported, (unsupported.get(verdict.unsupported) ?? 0) + 1);
        continue;
      }
      compared++;
      if (vector !== NO_VECTOR) vectors.set(vector, (vectors.get(vector) ?? 0) + 1);
      if (verdict.differences.length === 0) continue;
      const confirmed = await judgeClosed(native, bench, testCase);
      if (confirmed === undefined || confirmed.differences.length === 0) continue;
      const small = await shrink(testCase, confirmed, (candidate) => judgeClosed(native, bench, candidate));
      const mismatch = { original: testCase, shrunk: small.testCase, ...small.verdict };
      first ??= mismatch;
      if (options.onMismatch?.(mismatch) !== true) return { compared, vectors, unsupported, runaways, mismatch };
    }
    options.onProgress?.(done + cases.length);
  }
  return { compared, vectors, unsupported, runaways, mismatch: first };
}

function job({ state, layout, patches }: TestCase) {
  return { state, code: layout.code, patches };
}

const HLT = 0xf4;
const INT3 = 0xcc;

/**
 * Judges a case with the host's code closed as ours is: by HLT and INT3 up to where the host's way back to the oracle
 * lies. A stray jump or read behind the end finds the same there. Slower, by the signal that the HLT costs.
 */
async function judgeClosed(native: NativeOracle, bench: Bench, testCase: TestCase): Promise<Verdict | undefined> {
  const { code, starts } = testCase.layout;
  const closed = new Uint8Array(code.length + 64).fill(INT3);
  closed.set(code);
  closed[code.length] = HLT;
  const [outcome] = await native.run([{ ...job(testCase), code: closed }]);
  if (outcome === undefined || outcome.state.wordAt(STATE.vector) === RUNAWAY) return undefined;
  const { state } = outcome;
  if (state.wordAt(STATE.vector) === GENERAL_PROTECTION && state.quad(STATE.rip) === BigInt(starts.at(-1) ?? 0)) {
    state.word(STATE.vector, NO_VECTOR);
    state.word(STATE.error, 0);
  }
  return bench.judge(testCase, outcome);
}

const GENERAL_PROTECTION = 13;

/** The memory that cases are judged in, kept from one to the next. */
class Bench {
  readonly #options: DifferOptions;
  readonly #background: Uint8Array;
  readonly #expected: Uint8Array;
  readonly #data: Uint8Array;
  readonly #actual = new CpuState();

  constructor(options: DifferOptions) {
    this.#options = options;
    this.#background = options.generator.background();
    this.#expected = this.#background.slice();
    this.#data = this.#background.slice();
  }

  judge(testCase: TestCase, expected: Outcome): Verdict | Promise<Verdict> {
    const { layout, patches } = testCase;
    this.#data.set(this.#background);
    for (const { offset, bytes } of patches) this.#data.set(bytes, offset);
    const actual = this.#actual;
    actual.copyFrom(testCase.state);
    const entry = layout.starts[0] ?? 0;
    const run = { code: layout.code, entry, end: entry + layout.code.length };
    const answer = this.#options.runner.run(run, actual, this.#data);
    if (answer instanceof Promise) return answer.then((text) => this.#verdict(testCase, expected, actual, text));
    return this.#verdict(testCase, expected, actual, answer);
  }

  #verdict(testCase: TestCase, expected: Outcome, actual: CpuState, unsupported: string | undefined): Verdict {
    if (unsupported !== undefined) return { expected, actual, unsupported, differences: [] };
    const { layout, patches } = testCase;
    for (const { offset, bytes } of patches) this.#expected.set(bytes, offset);
    for (const { offset, bytes } of expected.changes) this.#expected.set(bytes, offset);
    const differences = compare(layout, expected, this.#expected, actual, this.#data, this.#options);
    for (const { offset, bytes } of [...patches, ...expected.changes])
      this.#expected.set(this.#background.subarray(offset, offset + bytes.length), offset);
    if (differences.length === 0) return { expected, actual, unsupported, differences };
    if (hasOwnMemory(expected.state, actual))
      return {
        expected,
        actual,
        unsupported: "an address where the oracle's process has memory of its own",
        differences: [],
      };
    // What is shown later must not be the next case's.
    const kept = new CpuState();
    kept.copyFrom(actual);
    return { expected, actual: kept, unsupported, differences };
  }
}

const PAGE_FAULT = 14;
/** Bit of its error code: the page is there, and refuses the access. */
const PRESENT = 1;
/** Above this, the system places a process's program, libraries and stack, at random (ELF_ET_DYN_BASE and up to TASK_SIZE). */
const PLACED_AT_RANDOM = 0x5555_5555_4000n;

/** Whether a random address has met what the system mapped into the oracle's process: ours has nothing there. */
function hasOwnMemory(expected: CpuState, actual: CpuState): boolean {
  if (actual.wordAt(STATE.vector) !== PAGE_FAULT || actual.quad(STATE.address) < PLACED_AT_RANDOM) return false;
  return expected.wordAt(STATE.vector) !== PAGE_FAULT || (expected.wordAt(STATE.error) & PRESENT) !== 0;
}
