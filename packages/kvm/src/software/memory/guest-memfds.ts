import type { U64 } from '../../port/u64.ts';
import { MEMORY_FLAGS } from '../../uapi/constants.ts';
import type { Backings } from './backings.ts';
import type { Descriptors } from './descriptors.ts';
import { type GuestMemfdShape, SoftwareGuestMemfd } from './guest-memfd.ts';
import { checkCreate } from './guest-memfd-range.ts';
import type { PhysicalMemory } from './physical-memory.ts';

export interface GuestMemfdOrder {
  /** Id of the VM that it is for. */
  readonly vm: number;
  readonly size: U64;
  readonly flags: U64;
  readonly inPlace: boolean;
  readonly hasPrivateMemory: boolean;
}

/** KVM_CAP_GUEST_MEMFD_FLAGS of a VM: memory starts shared where none is private, or where it is converted in place. */
export function allowedGuestMemfdFlags({ hasPrivateMemory, inPlace }: Omit<GuestMemfdOrder, 'vm' | 'size' | 'flags'>) {
  const { GUEST_MEMFD_FLAG_MMAP, GUEST_MEMFD_FLAG_INIT_SHARED } = MEMORY_FLAGS;
  return hasPrivateMemory && !inPlace ? GUEST_MEMFD_FLAG_MMAP : GUEST_MEMFD_FLAG_MMAP | GUEST_MEMFD_FLAG_INIT_SHARED;
}

export interface GuestMemfdsParts {
  readonly memory: PhysicalMemory;
  readonly backings: Backings;
  readonly descriptors: Descriptors;
  /** Whether a new file gets all of its frames at once. */
  readonly populates: boolean;
}

/** Makes guest_memfds and their descriptors. */
export class GuestMemfds {
  readonly #parts: GuestMemfdsParts;

  constructor(parts: GuestMemfdsParts) {
    this.#parts = parts;
  }

  /** KVM_CREATE_GUEST_MEMFD. KvmError EINVAL; ENOMEM where all frames are to be there. */
  create(order: GuestMemfdOrder): SoftwareGuestMemfd {
    const pages = checkCreate(order.size, order.flags, allowedGuestMemfdFlags(order));
    const shape = {
      fd: this.#parts.descriptors.next,
      pages,
      flags: Number(order.flags),
      vm: order.vm,
      inPlace: order.inPlace,
    };
    const file = this.reopen(shape);
    if (this.#parts.populates) file.backing.populate('KVM_CREATE_GUEST_MEMFD', 0, pages);
    return file;
  }

  /** The same file under the same descriptor, for a restored host. */
  reopen(shape: GuestMemfdShape, backing = this.#parts.backings.create('guest_memfd')): SoftwareGuestMemfd {
    const file = new SoftwareGuestMemfd(shape, backing, this.#parts);
    this.#parts.descriptors.open(file, shape.fd);
    return file;
  }
}
