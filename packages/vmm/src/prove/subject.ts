import { createHash } from 'node:crypto';
import type { VcpuExit } from '@unpin/kvm';
import { type OperandLook, REGISTER_IMAGE_BYTES, REGISTER_ROWS } from '@unpin/kvm/software';
import type { ReadBootSet } from '../machine/boot-set.ts';
import type { MachineEnding } from '../machine/messages.ts';
import { launchSubject, type SubjectParts } from './launch-subject.ts';
import { SubjectMemory } from './subject-memory.ts';
import type {
  LookAnswer,
  SubjectEnd,
  SubjectOptions,
  SubjectState,
  WatchedBytes,
  WindowsAnswer,
} from './subject-messages.ts';

const PAGE_FAULT = 14;
/** Bit 2 of a page fault's error code: in user mode. */
const USER_MODE = 4;
/** KVM_MP_STATE_HALTED */
const HALTED = 3;
const FIRST_LIES = 8;

/**
 * A guest for which nothing happens by chance: it is emulated, its time is what it has executed, its random numbers
 * follow from a seed, and nobody types. Two subjects of one image execute the same, unless memory shows them other bytes.
 */
export class Subject {
  readonly #options: SubjectOptions;
  readonly #parts: SubjectParts;
  readonly #memory: SubjectMemory;
  readonly #image = new Uint8Array(REGISTER_IMAGE_BYTES);
  #userSpace = false;
  #end: SubjectEnd | undefined;

  private constructor(options: SubjectOptions, parts: SubjectParts) {
    this.#options = options;
    this.#parts = parts;
    this.#memory = new SubjectMemory(parts.machine, parts.vm, parts.teller.conversions);
    parts.vcpu.trace(({ vector, errorCode }) => {
      // A process's first instruction is not mapped until it has faulted.
      if (vector === PAGE_FAULT && ((errorCode ?? 0) & USER_MODE) !== 0) this.#userSpace = true;
    });
  }

  /** @throws UnpinError, KvmError, BootError: what a launch may be refused for */
  static async start(options: SubjectOptions, bootSet: ReadBootSet): Promise<Subject> {
    return new Subject(options, await launchSubject(options, bootSet));
  }

  get isOver(): boolean {
    return this.#end !== undefined;
  }

  /** Runs `count` windows of `size` instructions, or fewer where the guest ends. */
  windows(size: number, count: number, watch?: WatchedBytes): WindowsAnswer {
    const from = this.#parts.vcpu.retired;
    const digests = new BigUint64Array(count);
    const watched = new BigUint64Array(watch === undefined ? 0 : count);
    let made = 0;
    while (made < count && !this.isOver) {
      this.runTo(from + (made + 1) * size);
      digests[made] = this.#digest().readBigUInt64LE();
      if (watch !== undefined) watched[made] = digestOf(this.#memory.peek(watch));
      made += 1;
    }
    return {
      from,
      size,
      digests: digests.slice(0, made),
      watched: watched.slice(0, made),
      state: this.state(),
    };
  }

  /** Until exactly so many have retired in all, or the guest has ended. */
  runTo(retired: number): void {
    const { vcpu, console, hash, vm } = this.#parts;
    const { until, guestSeconds } = this.#options;
    vcpu.stopAt(retired);
    let idle = 0;
    while (!this.isOver && vcpu.retired < retired) {
      const before = vcpu.retired;
      const exit = vcpu.run();
      const ending = this.#handle(exit);
      if (ending !== undefined) this.#end = endOf(ending);
      idle = exit.kind === 'intr' && vcpu.retired === before && vcpu.getMpState() === HALTED ? idle + 1 : 0;
      // Once it was told what its memory was found to do; then it would wait for something that never comes.
      if (idle > 1) this.#end ??= { kind: 'ended', reason: 'halted', detail: 'for good' };
    }
    hash.update(console.take());
    if (until !== undefined && console.has(until)) this.#end ??= { kind: 'text' };
    if (Number(vm.getClock()) >= guestSeconds * 1e9) this.#end ??= { kind: 'guest-time' };
  }

  state(): SubjectState {
    const { vcpu, vm, machine, console, control, teller } = this.#parts;
    const { cBit } = machine.memory;
    return {
      retired: vcpu.retired,
      ...(this.#end === undefined ? {} : { end: this.#end }),
      userSpace: this.#userSpace,
      encrypted: cBit !== null && ((vcpu.getSregs().cr3 >> BigInt(cBit)) & 1n) === 1n,
      guestSeconds: Number(vm.getClock()) / 1e9,
      lastLine: console.lastLine,
      conversions: control.counter('conversions'),
      convertedBytes: teller.convertedBytes,
      wrongViewAccesses: control.counter('wrongViewAccesses'),
      lies: control.counter('lies'),
      firstLies: teller.lies.slice(0, FIRST_LIES),
      digest: this.#digest().toString('hex'),
    };
  }

  /** Registers, the instruction that comes next, and the memory that it uses. */
  look(watch?: WatchedBytes): LookAnswer {
    const { vcpu, teller } = this.#parts;
    const memory = this.#memory;
    const { rip, cpl, text, bytes: code, operands } = vcpu.look();
    return {
      retired: vcpu.retired,
      registers: this.#registers(),
      rip,
      cpl,
      ...(text === undefined ? {} : { text }),
      code,
      operands: [
        ...operands.map((operand) => memory.operand(operand, false)),
        memory.operand(this.#fetched(rip, code.length), true),
      ],
      watched: watch === undefined ? null : memory.peek(watch),
      watchedIn: watch === undefined ? null : memory.viewInUse(watch),
      lies: teller.lies.slice(-FIRST_LIES),
    };
  }

  close(): void {
    this.#parts.close();
  }

  #handle(exit: VcpuExit): MachineEnding | undefined {
    const { machine, hash } = this.#parts;
    if (exit.kind === 'io') {
      const what = `${exit.direction} ${exit.port} ${exit.size} `;
      if (exit.direction === 'out') hash.update(what).update(exit.data);
      const ending = machine.handle(exit);
      if (exit.direction === 'in') hash.update(what).update(exit.data);
      return ending;
    }
    if (exit.kind === 'mmio' && exit.isWrite) hash.update(`mmio ${exit.gpa} `).update(exit.data);
    return machine.handle(exit);
  }

  /** Everything so far, the registers as they are now. */
  #digest(): Buffer {
    const { vcpu, hash } = this.#parts;
    vcpu.registerImage(this.#image);
    const words = new Float64Array([vcpu.retired]);
    const now = hash.copy().update(this.#image).update(new Uint8Array(words.buffer));
    return now.update(JSON.stringify(this.#end ?? null)).digest();
  }

  #registers(): ReadonlyMap<string, string> {
    this.#parts.vcpu.registerImage(this.#image);
    const image = this.#image;
    return new Map(REGISTER_ROWS.map(({ name, offset, size }) => [name, hexOf(image.subarray(offset, offset + size))]));
  }

  /** Code is fetched through the private view, whatever the C bit. */
  #fetched(linear: bigint, size: number): OperandLook {
    const { gpa, valid } = this.#parts.vcpu.translate(linear);
    return { linear, size, isRead: true, isWrite: false, gpa: valid ? gpa : null, view: 'private' };
  }
}

function endOf(ending: MachineEnding): SubjectEnd {
  switch (ending.reason) {
    case 'power-off':
    case 'reboot': {
      const { reason, detail } = ending;
      return { kind: 'ended', reason, ...(detail === undefined ? {} : { detail }) };
    }
    case 'crashed':
    case 'lie':
      return { kind: 'crashed', detail: `${ending.detail} at RIP 0x${ending.rip.toString(16)}` };
    case 'requested':
      return { kind: 'crashed', detail: ending.stop };
    case 'failed':
      return { kind: 'crashed', detail: ending.error.message };
  }
}

function digestOf(bytes: Uint8Array | null): bigint {
  return bytes === null ? 0n : createHash('sha256').update(bytes).digest().readBigUInt64LE();
}

/** A little-endian number. */
function hexOf(bytes: Uint8Array): string {
  return `0x${Buffer.from(bytes).reverse().toString('hex')}`;
}
