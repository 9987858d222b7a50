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

/** Makes guest_memfds and their descriptors. */
export class GuestMemfds {
  readonly #memory: PhysicalMemory;
  readonly #backings: Backings;
  readonly #descriptors: Descriptors;

  constructor(memory: PhysicalMemory, backings: Backings, descriptors: Descriptors) {
    this.#memory = memory;
    this.#backings = backings;
    this.#descriptors = descriptors;
  }

  /** KVM_CREATE_GUEST_MEMFD. KvmError EINVAL. */
  create(order: GuestMemfdOrder): SoftwareGuestMemfd {
    const pages = checkCreate(order.size, order.flags, allowedGuestMemfdFlags(order));
    const shape = {
      fd: this.#descriptors.next,
      pages,
      flags: Number(order.flags),
      vm: order.vm,
      inPlace: order.inPlace,
    };
    return this.reopen(shape);
  }

  /** The same file under the same descriptor, for a restored host. */
  reopen(shape: GuestMemfdShape, backing = this.#backings.create('guest_memfd')): SoftwareGuestMemfd {
    const parts = { memory: this.#memory, backings: this.#backings, descriptors: this.#descriptors };
    const file = new SoftwareGuestMemfd(shape, backing, parts);
    this.#descriptors.open(file, shape.fd);
    return file;
  }
}
