import { PAGE_BYTES, type View } from '@unpin/kvm';
import type { OperandLook, SoftwareVm } from '@unpin/kvm/software';
import type { Machine } from '../machine/machine.ts';
import type { ConversionRecord } from '../machine/messages.ts';
import type { OperandBytes, WatchedBytes } from './subject-messages.ts';

const pageOf = (gpa: number): number => Math.floor(gpa / PAGE_BYTES);

/** A subject's memory as its guest would see it, without touching anything. */
export class SubjectMemory {
  readonly #vm: SoftwareVm;
  readonly #memory: Machine['memory'];
  readonly #conversions: readonly ConversionRecord[];

  constructor(machine: Machine, vm: SoftwareVm, conversions: readonly ConversionRecord[]) {
    this.#vm = vm;
    this.#memory = machine.memory;
    this.#conversions = conversions;
  }

  /** What the guest would read; null where there is no memory, or nobody knows. */
  peek(watch: WatchedBytes): Uint8Array | null {
    return this.#side(watch, this.#attributeOf(watch.gpa));
  }

  /** The view that the page was last used through; null where it never was. */
  viewInUse({ gpa }: WatchedBytes): View | null {
    return this.#vm.viewInUse(pageOf(gpa), this.#attributeOf(gpa));
  }

  /** Memory that an instruction uses, with what it holds. */
  operand(operand: OperandLook, isCode: boolean): OperandBytes {
    const { gpa, view } = operand;
    if (gpa === null) return { ...operand, isCode, attribute: 'shared', bytes: null, otherSide: null };
    const length = Math.max(1, Math.min(operand.size, PAGE_BYTES - (gpa % PAGE_BYTES)));
    const attribute = this.#attributeOf(gpa);
    const other: View = attribute === 'private' ? 'shared' : 'private';
    const conversion = this.#conversions.findLast(
      (each) => each.ret === 0 && each.gpa <= gpa && gpa < each.gpa + each.bytes,
    );
    return {
      ...operand,
      isCode,
      attribute,
      bytes: this.peek({ gpa, length, view }),
      otherSide: this.#memory.kind === 'attributes' ? this.#side({ gpa, length, view: other }, other) : null,
      ...(conversion === undefined ? {} : { conversion }),
    };
  }

  #side({ gpa, length, view }: WatchedBytes, side: View): Uint8Array | null {
    const at = gpa % PAGE_BYTES;
    const page = this.#vm.peek(pageOf(gpa), side, view);
    if (page !== null) return page.slice(at, at + length);
    // A new page shows zeros to whom it isn't decrypted for.
    return this.#isRam(gpa) && view === 'shared' ? new Uint8Array(length) : null;
  }

  #attributeOf(gpa: number): View {
    return this.#isRam(gpa) ? this.#memory.attributeOf(gpa) : 'shared';
  }

  #isRam(gpa: number): boolean {
    return this.#memory.covers({ gpa: pageOf(gpa) * PAGE_BYTES, size: PAGE_BYTES });
  }
}
