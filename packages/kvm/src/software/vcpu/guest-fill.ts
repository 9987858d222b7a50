import { layout } from '@unpin/x86';
import { ACCESS, type GuestAddressSpace } from '../memory/index.ts';

/** Why `fill` ended a run. */
export type FillFault = 'none' | 'memory-fault' | 'efault' | 'enomem';

/** The engine's question what stands behind a guest page, put to the VM's memory; and why it had no answer. */
export class GuestFill {
  readonly #space: GuestAddressSpace;
  fault: FillFault = 'none';
  gpa = 0;
  isPrivate = false;

  constructor(space: GuestAddressSpace) {
    this.#space = space;
  }

  /** See EngineHost.fill. */
  fill(guestFrame: number, access: number, encrypted: boolean): number {
    const resolved = this.#space.resolve(guestFrame, accessBits(access, encrypted));
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
}

/** The engine's access kinds in the words of the VM's memory. */
function accessBits(access: number, encrypted: boolean): number {
  let bits = encrypted ? ACCESS.encrypted : 0;
  if ((access & layout.ACCESS_WRITE) !== 0) bits |= ACCESS.write;
  if ((access & layout.ACCESS_EXECUTE) !== 0) bits |= ACCESS.execute;
  if ((access & layout.ACCESS_WALK) !== 0) bits |= ACCESS.walk;
  return bits;
}
