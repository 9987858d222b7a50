import { KvmError, SevError } from '../src/port/errors.ts';
import type { EventFd } from '../src/port/event-fd.ts';
import type { ExitKind, VcpuExit } from '../src/port/exit.ts';
import type { GuestMemfd } from '../src/port/guest-memfd.ts';
import type { HostMemory } from '../src/port/host-memory.ts';
import type { Kvm } from '../src/port/kvm.ts';
import type { U64 } from '../src/port/u64.ts';
import type { Vcpu } from '../src/port/vcpu.ts';
import type { MemoryRegion, Vm } from '../src/port/vm.ts';
import { BrokenPromise, GuestStuck } from './expectation.ts';
import type { GuestWatch } from './guest-watch.ts';
import { type KernelVersion, spanHolds } from './kernel-version.ts';
import type { Errno, Variant } from './rule.ts';

interface Closable {
  close(): void;
}

/** What a rule's check works with. Everything it creates through here is closed after the check, last first. */
export class RuleContext {
  readonly kvm: Kvm;
  readonly kernel: KernelVersion;
  readonly #watch: GuestWatch;
  readonly #variants: readonly Variant[];
  readonly #open: Closable[] = [];
  #watched: Vcpu | undefined;

  constructor(kvm: Kvm, kernel: KernelVersion, watch: GuestWatch, variants: readonly Variant[] = []) {
    this.kvm = kvm;
    this.kernel = kernel;
    this.#watch = watch;
    this.#variants = variants;
  }

  /** The errnos that the rule's variants allow for this kernel. */
  errnos(): readonly Errno[] {
    const variant = this.#variants.find((each) => spanHolds(each, this.kernel));
    if (variant === undefined) throw new RangeError(`no variant of this rule covers kernel ${this.kernel.join('.')}`);
    return variant.errnos;
  }

  vm(type = 0): Vm {
    return this.closing(this.kvm.createVm(type));
  }

  /** Anonymous memory of the host, `size` bytes. */
  memory(size: number): HostMemory {
    return this.closing(this.kvm.allocate(size));
  }

  guestMemfd(vm: Vm, size: U64, flags: U64 = 0): GuestMemfd {
    return this.closing(vm.createGuestMemfd(size, flags));
  }

  /** A slot of `memory`, whole, at `gpa`. */
  slot(vm: Vm, slot: number, gpa: U64, memory: HostMemory, flags = 0): MemoryRegion {
    const region = { slot, flags, gpa, size: memory.size, hva: memory.hva };
    vm.setUserMemoryRegion(region);
    return region;
  }

  vcpu(vm: Vm, id = 0): Vcpu {
    return this.closing(vm.createVcpu(id));
  }

  eventFd(): EventFd {
    return this.closing(this.kvm.createEventFd());
  }

  closing<T extends Closable>(thing: T): T {
    this.#open.push(thing);
    return thing;
  }

  /** Runs the guest under the watchdog. Throws GuestStuck where it had to be kicked out. */
  run(vcpu: Vcpu): VcpuExit {
    if (this.#watched !== vcpu) {
      this.#watch.watch(vcpu);
      this.#watched = vcpu;
    }
    this.#watch.enter();
    let fired = false;
    let exit: VcpuExit;
    try {
      exit = vcpu.run();
    } finally {
      fired = this.#watch.leave();
    }
    if (exit.kind !== 'intr') {
      if (fired) this.#watch.kickIsLeft();
      return exit;
    }
    if (fired) throw new GuestStuck(this.#watch.runLimitMs);
    return this.#watch.takeLeftKick() ? this.run(vcpu) : exit;
  }

  /** Runs the guest; any other exit breaks the promise. */
  runTo<K extends ExitKind>(vcpu: Vcpu, kind: K, what = 'KVM_RUN'): Extract<VcpuExit, { kind: K }> {
    const exit = this.run(vcpu);
    if (exit.kind !== kind) throw new BrokenPromise(what, `exit ${kind}`, `exit ${describeExit(exit)}`);
    return exit as Extract<VcpuExit, { kind: K }>;
  }

  /**
   * Runs the guest and has another thread kick it out, again and again, until a kick has met it where it was to be.
   * A run is given twice the time of the one before, so that a slow guest gets there, too; one that doesn't ends as
   * GuestStuck. Every exit but `intr` breaks the promise.
   */
  runKicked(vcpu: Vcpu, isThere: () => boolean): void {
    for (let afterMs = 1; ; afterMs *= 2) {
      this.#watch.kickLater(vcpu, afterMs);
      this.runTo(vcpu, 'intr');
      if (isThere()) return;
    }
  }

  equal(found: unknown, expected: unknown, what: string): void {
    if (!Object.is(found, expected)) throw new BrokenPromise(what, show(expected), show(found));
  }

  bytes(found: Uint8Array, expected: readonly number[], what: string): void {
    const text = hex(found);
    if (text !== hex(expected)) throw new BrokenPromise(what, hex(expected), text);
  }

  holds(condition: boolean, what: string, found: unknown): void {
    if (!condition) throw new BrokenPromise(what, 'true', show(found));
  }

  /** The call must be refused with this errno, or one of these. */
  refuses(expected: Errno | readonly Errno[], call: () => unknown, what = 'the call'): void {
    const found = this.#attempt(call);
    const allowed: readonly string[] = typeof expected === 'string' ? [expected] : expected;
    if (found === undefined || !allowed.includes(found))
      throw new BrokenPromise(what, allowed.join(' or '), found ?? 'success');
  }

  /** The call must succeed: an errno becomes a broken promise that says which. */
  accepts<T>(call: () => T, what = 'the call'): T {
    try {
      return call();
    } catch (error) {
      throw new BrokenPromise(what, 'success', errnoOf(error));
    }
  }

  closeAll(): void {
    this.#watch.cancelWait();
    for (let thing = this.#open.pop(); thing !== undefined; thing = this.#open.pop()) thing.close();
  }

  #attempt(call: () => unknown): string | undefined {
    try {
      const made = call();
      if (isClosable(made)) this.closing(made);
      return undefined;
    } catch (error) {
      return errnoOf(error);
    }
  }
}

/** The errno symbol of a refusal; anything that isn't one is thrown on. */
export function errnoOf(error: unknown): string {
  if (error instanceof KvmError || error instanceof SevError) return error.code;
  throw error;
}

function isClosable(thing: unknown): thing is Closable {
  return typeof thing === 'object' && thing !== null && 'close' in thing && typeof thing.close === 'function';
}

/** An exit in words, with what tells it from others of its kind. */
export function describeExit(exit: VcpuExit): string {
  switch (exit.kind) {
    case 'io':
      return `io ${exit.direction} port ${show(exit.port)} size ${exit.size} count ${exit.count}`;
    case 'mmio':
      return `mmio ${exit.isWrite ? 'write' : 'read'} ${show(exit.gpa)} size ${exit.size}`;
    case 'hypercall':
      return `hypercall ${exit.nr}`;
    case 'memory-fault':
      return `memory-fault ${show(exit.gpa)} size ${exit.size} errno ${exit.errno}`;
    case 'rdmsr':
    case 'wrmsr':
      return `${exit.kind} ${show(exit.index)}`;
    case 'fail-entry':
      return `fail-entry ${exit.hardwareReason}`;
    case 'system-event':
      return `system-event ${exit.type}`;
    case 'internal-error':
      return `internal-error ${exit.suberror} [${exit.data.join(' ')}]`;
    case 'unsupported':
      return `unsupported reason ${exit.reason}`;
    case 'hlt':
    case 'shutdown':
    case 'intr':
    case 'irq-window-open':
      return exit.kind;
  }
}

function show(value: unknown): string {
  if (typeof value === 'number' && Number.isInteger(value) && value > 9) return `${value} (0x${value.toString(16)})`;
  if (typeof value === 'bigint') return `0x${value.toString(16)}`;
  return String(value);
}

function hex(bytes: Iterable<number>): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
}
