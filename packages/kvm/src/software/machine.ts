import { createHostMemory, layout } from '@unpin/x86';
import { VmClock } from './clock/kvm-clock.ts';
import { DeterministicTime, HostTime, type TimeSource } from './clock/time.ts';
import { PHYSICAL_BITS } from './cpuid.ts';
import { EventCounters, InterruptControllers } from './irq/index.ts';
import { GuestBytes, Host, KEY_BYTES } from './memory/index.ts';
import { DEFAULT_EPOCH, DEFAULT_TSC_KHZ, type SoftwareKvmOptions } from './options.ts';
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
  readonly #randomness: Randomness;
  readonly #asids = new Asids();
  readonly #user: UserMemory;
  #core: Core | null = null;
  #nextHandle = 1;

  /** RangeError for a size that can't be. */
  constructor({ clock = 'host', memoryBytes = MAX_MEMORY_BYTES, memlockLimit }: SoftwareKvmOptions) {
    if (memoryBytes < LEAST_MEMORY_BYTES || memoryBytes > MAX_MEMORY_BYTES)
      throw new RangeError(`a host of ${memoryBytes} bytes: ${LEAST_MEMORY_BYTES} to ${MAX_MEMORY_BYTES} are possible`);
    this.#memory = createHostMemory(Math.floor(memoryBytes / WASM_PAGE));
    this.#randomness = clock === 'host' ? systemRandomness : seededRandomness(clock.seed);
    this.time = clock === 'host' ? new HostTime() : new DeterministicTime(clock.epoch ?? DEFAULT_EPOCH);
    this.tscKhz = clock === 'host' ? DEFAULT_TSC_KHZ : (clock.tscKhz ?? DEFAULT_TSC_KHZ);
    this.host = new Host({
      buffer: this.#memory.buffer,
      firstFrame: layout.FIRST_FRAME,
      keys: () => this.#randomness(KEY_BYTES),
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
    const { host, counters, time, tscKhz } = this;
    const tech = techOf(type) ?? 'none';
    const space = host.createGuestAddressSpace({
      // An SEV VM is one from INIT2 on.
      tech: tech === 'sev' ? 'none' : tech,
      hasPrivateMemory: hasPrivateMemory(type),
      guestPhysicalBits: PHYSICAL_BITS,
    });
    const isOtherDescriptor = (fd: number): boolean => host.descriptors.get(fd) !== undefined;
    const settings = new VmSettings();
    const sev = new SevVm({
      type,
      host,
      space,
      asids: this.#asids,
      user: this.#user,
      random: this.#randomness,
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
      randomSeed: () => randomSeed(this.#randomness),
    };
  }
}
