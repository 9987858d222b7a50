import { createHostMemory, layout } from '@unpin/x86';
import { VmClock } from './clock/kvm-clock.ts';
import { DeterministicTime, HostTime, type TimeSource } from './clock/time.ts';
import { PHYSICAL_BITS } from './cpuid.ts';
import { EventCounters, InterruptControllers } from './irq/index.ts';
import type { MachineState } from './machine-state.ts';
import {
  type GuestAddressSpace,
  type GuestAddressSpaceState,
  GuestBytes,
  Host,
  KEY_BYTES,
  restoreGuestAddressSpace,
  restoreHost,
  SnapshotError,
  saveHost,
} from './memory/index.ts';
import { DEFAULT_EPOCH, DEFAULT_TSC_KHZ, type DeterministicClock, type SoftwareKvmOptions } from './options.ts';
import { type Randomness, randomSeed, seededRandomness, systemRandomness } from './randomness.ts';
import { Asids } from './sev/asids.ts';
import { SevVm } from './sev/sev-vm.ts';
import { UserMemory } from './sev/user-memory.ts';
import { Core } from './vcpu/core.ts';
import type { VmParts } from './vm-parts.ts';
import { VmSettings } from './vm-settings.ts';
import { hasPrivateMemory, techOf } from './vm-types.ts';

const WASM_PAGE = 65_536;
const MAX_MEMORY_BYTES = 2 ** 32;
/** What the engine takes for itself; the least that leaves room for a guest. */
const LEAST_MEMORY_BYTES: number = layout.FIRST_FRAME + (1 << 20);

/** The machine that a software KVM runs on: its memory, its one core, its time. Made when it is first needed. */
export class Machine {
  readonly host: Host;
  readonly counters: EventCounters;
  readonly time: TimeSource;
  readonly tscKhz: number;
  readonly #memory: WebAssembly.Memory;
  readonly #clock: 'host' | Required<DeterministicClock>;
  #source: Randomness;
  #drawn = 0;
  readonly #asids = new Asids();
  readonly #user: UserMemory;
  #core: Core | null = null;
  #nextHandle = 1;

  /** RangeError for a size that can't be. */
  constructor({ clock = 'host', memoryBytes = MAX_MEMORY_BYTES, memlockLimit, guestMemfdsAtOnce }: SoftwareKvmOptions) {
    if (memoryBytes < LEAST_MEMORY_BYTES || memoryBytes > MAX_MEMORY_BYTES)
      throw new RangeError(`a host of ${memoryBytes} bytes: ${LEAST_MEMORY_BYTES} to ${MAX_MEMORY_BYTES} are possible`);
    this.#memory = createHostMemory(Math.floor(memoryBytes / WASM_PAGE));
    this.#clock = clock === 'host' ? clock : { tscKhz: DEFAULT_TSC_KHZ, epoch: DEFAULT_EPOCH, ...clock };
    this.#source = this.#randomFrom(0);
    this.time = this.#clock === 'host' ? new HostTime() : new DeterministicTime(this.#clock.epoch);
    this.tscKhz = this.#clock === 'host' ? DEFAULT_TSC_KHZ : this.#clock.tscKhz;
    this.host = new Host({
      buffer: this.#memory.buffer,
      firstFrame: layout.FIRST_FRAME,
      keys: () => this.#random(KEY_BYTES),
      guestMemfdsAtOnce: guestMemfdsAtOnce === true,
      ...(memlockLimit === undefined ? {} : { memlockLimit }),
    });
    this.counters = EventCounters.create();
    this.#user = new UserMemory(this.host.addresses);
  }

  /** The processor: compiled when the first vCPU comes. */
  get core(): Core {
    this.#core ??= new Core(this.#memory, this.host.memory);
    return this.#core;
  }

  /** What a VM of an offered type consists of. */
  createVm(type: number): VmParts {
    const tech = techOf(type) ?? 'none';
    const space = this.host.createGuestAddressSpace({
      // An SEV VM is one from INIT2 on.
      tech: tech === 'sev' ? 'none' : tech,
      hasPrivateMemory: hasPrivateMemory(type),
      guestPhysicalBits: PHYSICAL_BITS,
    });
    return this.#partsOf(type, space);
  }

  /** For snapshots: everything that isn't one VM's. SnapshotError where its memory can't be saved. */
  state(): MachineState {
    return {
      clock: this.#clock,
      now: this.time.now(),
      drawn: this.#drawn,
      nextHandle: this.#nextHandle,
      memory: saveHost(this.host),
    };
  }

  /** Goes on as a saved machine. SnapshotError where it was used already, is too small or has another clock. */
  resume({ clock, now, nextHandle, memory }: MachineState): void {
    if (!isSameClock(clock, this.#clock))
      throw new SnapshotError(
        `saved with the clock ${clockName(clock)}, and this machine has ${clockName(this.#clock)}`,
      );
    restoreHost(this.host, memory);
    this.time.resume(now);
    this.#nextHandle = nextHandle;
  }

  /** The last thing: what was drawn to make vCPUs that then got their own state counts for nothing. */
  resumeRandomness({ drawn }: MachineState): void {
    this.#source = this.#randomFrom(drawn);
    this.#drawn = drawn;
  }

  /** What a saved VM consists of, its memory already as it was. */
  restoreVm(type: number, space: GuestAddressSpaceState): VmParts {
    return this.#partsOf(type, restoreGuestAddressSpace(this.host, space));
  }

  #partsOf(type: number, space: GuestAddressSpace): VmParts {
    const { host, counters, time, tscKhz } = this;
    const isOtherDescriptor = (fd: number): boolean => host.descriptors.get(fd) !== undefined;
    const settings = new VmSettings();
    const sev = new SevVm({
      type,
      host,
      space,
      asids: this.#asids,
      user: this.#user,
      random: (length) => this.#random(length),
      nextHandle: () => this.#nextHandle++,
      createdVcpus: () => settings.createdVcpus,
    });
    return {
      type,
      host,
      space,
      guest: new GuestBytes(space, host.memory),
      controllers: new InterruptControllers({ clock: time, counters, isOtherDescriptor }),
      time,
      clock: new VmClock(time),
      sev,
      settings,
      eventWords: counters.eventWords,
      core: () => this.core,
      tscKhz,
      randomSeed: () => randomSeed((length) => this.#random(length)),
    };
  }

  #random(length: number): Uint8Array {
    this.#drawn += length;
    return this.#source(length);
  }

  #randomFrom(drawn: number): Randomness {
    return this.#clock === 'host' ? systemRandomness : seededRandomness(this.#clock.seed, drawn);
  }
}

function isSameClock(a: MachineState['clock'], b: MachineState['clock']): boolean {
  if (a === 'host' || b === 'host') return a === b;
  return a.seed === b.seed && a.tscKhz === b.tscKhz && a.epoch === b.epoch;
}

function clockName(clock: MachineState['clock']): string {
  return clock === 'host' ? 'of the host' : JSON.stringify(clock);
}
