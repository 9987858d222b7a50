import type { ControlBlock } from '../machine/control-block.ts';
import type { ConversionRecord, LieRecord } from '../machine/messages.ts';
import { Teller } from '../machine/teller.ts';

/** Records that are kept of each kind; all are counted. */
const KEPT = 100_000;

/** A machine's voice that keeps what it says, in order and without regard to the time: the host's clock decides nothing. */
export class SubjectTeller extends Teller {
  readonly conversions: ConversionRecord[] = [];
  readonly lies: LieRecord[] = [];
  readonly #converted: (entry: ConversionRecord) => void;
  convertedBytes = 0;

  constructor(control: ControlBlock, converted: (entry: ConversionRecord) => void) {
    super(() => {}, control);
    this.#converted = converted;
  }

  override conversion(entry: ConversionRecord): void {
    this.count('conversions');
    if (entry.ret === 0) this.convertedBytes += entry.bytes;
    if (this.conversions.length < KEPT) this.conversions.push(entry);
    this.#converted(entry);
  }

  override lie(entry: LieRecord): void {
    this.count('lies');
    if (this.lies.length < KEPT) this.lies.push(entry);
  }
}
