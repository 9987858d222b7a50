import { layout } from '@unpin/x86';
import type { ViewFinding } from '../../port/view-finding.ts';
import { ACCESS, type GuestAddressSpace } from '../memory/index.ts';

/** Why `fill` ended a run. */
export type FillFault = 'none' | 'memory-fault' | 'efault' | 'enomem' | 'finding';

/** The engine's question what stands behind a guest page, put to the VM's memory; and why it had no answer. */
export class GuestFill {
  readonly #space: GuestAddressSpace;
  /** Whether the instruction is one whose exit was answered: it can't be left again before it is done. */
  readonly #isCompleting: () => boolean;
  fault: FillFault = 'none';
  gpa = 0;
  isPrivate = false;
  /** What ended the run, with 'finding', and the access as guest frame and bits. */
  #finding: ViewFinding | null = null;
  #key = 0;
  #isWalk = false;
  /** Accesses of the instruction at `#toldAt` that were told already, as guest frame and bits. */
  readonly #told = new Set<number>();
  #toldAt = -1;

  constructor(space: GuestAddressSpace, isCompleting: () => boolean) {
    this.#space = space;
    this.#isCompleting = isCompleting;
  }

  /** See EngineHost.fill. */
  fill(guestFrame: number, access: number, encrypted: boolean): number {
    const bits = accessBits(access, encrypted);
    if (this.#space.watch !== null && this.#mustTell(guestFrame, bits)) {
      this.fault = 'finding';
      return layout.FILL_FAULT;
    }
    const resolved = this.#space.resolve(guestFrame, bits);
    switch (resolved.kind) {
      case 'frame':
        return resolved.writable ? resolved.address : (resolved.address | layout.FILL_READ_ONLY) >>> 0;
      case 'mmio':
        return layout.FILL_MMIO;
      case 'memory-fault':
      case 'efault':
      case 'enomem':
        this.fault = resolved.kind;
        this.gpa = guestFrame * 4096;
        this.isPrivate = resolved.isPrivate;
        return layout.FILL_FAULT;
    }
  }

  /**
   * Tells the finding that ended a run, RIP at its instruction. `gpa` is the access's, `retired` how many instructions
   * there were before it: it is done again next, and then not told a second time.
   */
  tell(gpa: number, retired: number): void {
    const finding = this.#finding;
    if (finding === null) return;
    if (retired !== this.#toldAt) this.#told.clear();
    this.#toldAt = retired;
    this.#told.add(this.#key);
    this.#space.watch?.tell(this.#isWalk ? finding : { ...finding, gpa });
  }

  #mustTell(guestFrame: number, bits: number): boolean {
    const finding = this.#space.look(guestFrame, bits);
    if (finding === null) return false;
    const key = guestFrame * ACCESS_KINDS + bits;
    if (this.#told.has(key)) return false;
    if (this.#isCompleting()) {
      this.#space.watch?.tell(finding);
      return false;
    }
    this.#finding = finding;
    this.#isWalk = (bits & ACCESS.walk) !== 0;
    this.#key = key;
    return true;
  }
}

/** Above all bits of ACCESS. */
const ACCESS_KINDS = 16;

/** The engine's access kinds in the words of the VM's memory. */
function accessBits(access: number, encrypted: boolean): number {
  let bits = encrypted ? ACCESS.encrypted : 0;
  if ((access & layout.ACCESS_WRITE) !== 0) bits |= ACCESS.write;
  if ((access & layout.ACCESS_EXECUTE) !== 0) bits |= ACCESS.execute;
  if ((access & layout.ACCESS_WALK) !== 0) bits |= ACCESS.walk;
  return bits;
}
