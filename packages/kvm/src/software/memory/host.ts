import { pinRights } from '../../linux/pin-limits.ts';
import type { OnFaultPinning } from '../../port/pinning.ts';
import { Backings } from './backings.ts';
import { Descriptors } from './descriptors.ts';
import { EncryptedRegions } from './encrypted-regions.ts';
import { GuestAddressSpace, type GuestAddressSpaceOptions } from './guest-address-space.ts';
import { GuestMemfds } from './guest-memfds.ts';
import { HostAddressSpace } from './host-address-space.ts';
import { KeyRing, type KeySource } from './key-ring.ts';
import { Mover } from './mover.ts';
import { pinOnFault } from './on-fault-pins.ts';
import { PhysicalMemory } from './physical-memory.ts';
import { type MemlockLimit, Pins } from './pins.ts';
import { Views } from './views.ts';

export interface HostOptions {
  /** Of a shared WebAssembly.Memory whose size is fixed. */
  readonly buffer: SharedArrayBuffer;
  /** Byte offset of the first host frame; below is the engine's. */
  readonly firstFrame: number;
  readonly hugePages?: boolean;
  /** Default false: see SoftwareKvmOptions. */
  readonly guestMemfdsAtOnce?: boolean;
  /** Default: random keys. */
  readonly keys?: KeySource;
  /** Default: this process's own RLIMIT_MEMLOCK, or no limit with CAP_IPC_LOCK. */
  readonly memlockLimit?: MemlockLimit;
}

/** The memory of one software KVM: what the machine, its memory controller and its operating system are to real VMs. */
export class Host {
  readonly memory: PhysicalMemory;
  readonly keys: KeyRing;
  readonly views: Views;
  readonly backings: Backings;
  readonly descriptors = new Descriptors();
  readonly guestMemfds: GuestMemfds;
  readonly addresses: HostAddressSpace;
  readonly pins: Pins;
  readonly mover: Mover;
  #nextVm = 1;

  constructor(options: HostOptions) {
    const { buffer, firstFrame, hugePages = false, keys, memlockLimit, guestMemfdsAtOnce = false } = options;
    this.memory = new PhysicalMemory(buffer, { firstFrame, hugePages });
    this.keys = new KeyRing(keys);
    this.views = new Views(this.memory, this.keys);
    this.backings = new Backings(this.memory);
    const { memory, views, backings, descriptors } = this;
    this.guestMemfds = new GuestMemfds({ memory, backings, descriptors, populates: guestMemfdsAtOnce });
    this.addresses = new HostAddressSpace({ memory, views, backings, descriptors });
    this.pins = new Pins(memory, this.addresses, memlockLimit ?? (() => pinRights().limit));
    this.mover = new Mover(memory, views, backings);
  }

  /** The guest-physical memory of a new VM; `vm` gives it the id that it had in a snapshot. */
  createGuestAddressSpace(options: GuestAddressSpaceOptions, vm: number = this.#nextVm): GuestAddressSpace {
    const { memory, views, addresses, descriptors, guestMemfds } = this;
    this.#nextVm = Math.max(this.#nextVm, vm + 1);
    return new GuestAddressSpace({ vm, memory, views, host: addresses, descriptors, guestMemfds }, options);
  }

  /** The pinned regions of a VM, for KVM_MEMORY_ENCRYPT_REG_REGION. */
  createEncryptedRegions(space: GuestAddressSpace): EncryptedRegions {
    return new EncryptedRegions(this.pins, () => space.tech === 'sev' || space.tech === 'snp');
  }

  /** Pins each page of the mapping at `hva` when it is first touched; see pinOnFault. */
  pinOnFault(hva: number): OnFaultPinning {
    return pinOnFault(this.memory, this.addresses, this.pins, hva);
  }
}
