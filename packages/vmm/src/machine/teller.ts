import type { VmState } from '@unpin/contract';
import type { VmTypeId } from '@unpin/policy';
import { nowMs } from '../clock.ts';
import type { ControlBlock, CounterName } from './control-block.ts';
import type { ConversionRecord, LieRecord, MachineMessage } from './messages.ts';

/** Records that are sent together, and how long one may wait, in milliseconds. */
const BATCH = 256;
const BATCH_MS = 50;
/** Records sent in one second at most; beyond that they are counted only, so that no queue grows without bound. */
const PER_SECOND = 20_000;

/** The machine's voice: what happened goes to the main thread in batches, in order, and is counted where it happens. */
export class Teller {
  readonly #post: (message: MachineMessage) => void;
  readonly #control: ControlBlock;
  #conversions: ConversionRecord[] = [];
  #lies: LieRecord[] = [];
  #oldestMs = 0;
  #windowMs = 0;
  #inWindow = 0;

  constructor(post: (message: MachineMessage) => void, control: ControlBlock) {
    this.#post = post;
    this.#control = control;
  }

  say(message: MachineMessage): void {
    this.flush();
    this.#post(message);
  }

  state(state: VmState, regimeOf: VmTypeId): void {
    this.say({ kind: 'state', atMs: nowMs(), state, regimeOf });
  }

  event(what: string, progress?: number): void {
    this.say({ kind: 'event', atMs: nowMs(), what, ...(progress === undefined ? {} : { progress }) });
  }

  conversion(entry: ConversionRecord): void {
    this.count('conversions');
    if (this.#admit(entry.atMs)) this.#conversions.push(entry);
  }

  lie(entry: LieRecord): void {
    this.count('lies');
    if (this.#admit(entry.atMs)) this.#lies.push(entry);
  }

  flush(): void {
    if (this.#conversions.length > 0) {
      this.#post({ kind: 'conversions', records: this.#conversions });
      this.#conversions = [];
    }
    if (this.#lies.length > 0) {
      this.#post({ kind: 'lies', records: this.#lies });
      this.#lies = [];
    }
  }

  protected count(what: CounterName): void {
    this.#control.count(what);
  }

  #admit(atMs: number): boolean {
    if (atMs - this.#windowMs >= 1000) {
      this.#windowMs = atMs;
      this.#inWindow = 0;
    }
    const waiting = this.#conversions.length + this.#lies.length;
    if (waiting === 0) this.#oldestMs = atMs;
    else if (waiting >= BATCH || atMs - this.#oldestMs >= BATCH_MS) this.flush();
    return ++this.#inWindow <= PER_SECOND;
  }
}
