import { layout } from '@unpin/x86';
import type { VcpuExit } from '../../port/exit.ts';
import { ERRNO, failure } from '../../sys/errno.ts';
import type { VmParts } from '../vm-parts.ts';
import { codeBytes } from './code-bytes.ts';
import { isEmulated } from './emulator-limits.ts';
import { emulationFailed, HLT, INTR, SHUTDOWN, SoftwareMemoryFault, SoftwareMmio } from './exits.ts';
import { HypercallPart } from './hypercall-part.ts';
import { Interruptions } from './interruptions.ts';
import { IoPart } from './io-part.ts';
import type { Msrs } from './msr/msrs.ts';
import { MsrPart } from './msr-part.ts';
import type { Processor } from './processor.ts';
import { Slices } from './slices.ts';

/** What the next run has to do before anything else: take user space's answer to the last exit. */
type Pending = 'nothing' | 'io' | 'mmio' | 'msr' | 'hypercall';

/** KVM_RUN of one vCPU: runs the engine in slices, and between them does what a kernel does around a guest. */
export class VcpuRunner {
  readonly #vm: VmParts;
  readonly #processor: Processor;
  readonly #interruptions: Interruptions;
  readonly #slices: Slices;
  readonly #io: IoPart;
  readonly #msr: MsrPart;
  readonly #hypercall: HypercallPart;
  readonly #mmio = new SoftwareMmio();
  readonly #memoryFault = new SoftwareMemoryFault();
  #pending: Pending = 'nothing';
  /** An exit that came up while another one was completed, for the next run to hand out. */
  #held: VcpuExit | null = null;
  /** Registers at the access that user space was asked for: the same ones mean the same instruction. */
  #mmioRip = 0;
  #mmioCount = 0;

  constructor(vm: VmParts, processor: Processor, msrs: Msrs) {
    this.#vm = vm;
    this.#processor = processor;
    this.#interruptions = new Interruptions(vm, processor);
    this.#slices = new Slices(vm, processor);
    this.#io = new IoPart(vm, processor);
    this.#msr = new MsrPart(vm, processor, msrs);
    this.#hypercall = new HypercallPart(vm, processor);
  }

  /** Runs until user space is needed. KvmError: EINVAL for a VM of an SEV type without INIT2, ENOMEM. */
  run(): VcpuExit {
    this.#enter();
    const early = this.#takeHeld() ?? this.#complete();
    if (early !== null) return early;
    for (;;) {
      if (this.#processor.isKicked()) return this.#interrupted();
      if (this.#vm.space.watch?.hasFindings === true) return INTR;
      if (this.#slices.isAtEnd) return INTR;
      const exit = this.#slice();
      if (exit !== null) return exit;
    }
  }

  /** Takes user space's answer and runs nothing more. An exit that comes of it is held for the next run. */
  complete(): void {
    this.#enter();
    this.#held ??= this.#complete();
  }

  /** Whether no exit waits for its answer, and none to be handed out. */
  get isBetweenExits(): boolean {
    return this.#pending === 'nothing' && this.#held === null;
  }

  get slices(): Slices {
    return this.#slices;
  }

  #enter(): void {
    const { sev } = this.#vm;
    if (sev.needsInit) throw failure('KVM_RUN', ERRNO.EINVAL, 'KVM_SEV_INIT2 comes first');
    this.#processor.enter();
  }

  #takeHeld(): VcpuExit | null {
    const held = this.#held;
    this.#held = null;
    return held;
  }

  /** The last thing of a run that answers `intr`: what the kick was for is to be seen by whoever gave it. */
  #interrupted(): VcpuExit {
    this.#processor.takeKick();
    return INTR;
  }

  #complete(): VcpuExit | null {
    const pending = this.#pending;
    this.#pending = 'nothing';
    switch (pending) {
      case 'nothing':
        return null;
      case 'io':
        this.#io.complete();
        return this.#step();
      case 'msr':
        this.#msr.complete();
        return this.#step();
      case 'hypercall':
        this.#hypercall.complete();
        return null;
      case 'mmio':
        this.#processor.devices.add(this.#mmio.gpa, this.#mmio.isWrite, this.#mmio.data);
        return this.#repeat();
    }
  }

  /** The instruction at RIP, with an answer. */
  #step(): VcpuExit | null {
    const { cpu } = this.#processor.engine;
    cpu.setWord(layout.COMPLETING, 1);
    return this.#left(this.#slices.run(0));
  }

  /** Does an instruction again whose accesses are answered so far. */
  #repeat(): VcpuExit | null {
    const { devices } = this.#processor;
    devices.repeat();
    const exit = this.#step();
    if (this.#pending !== 'mmio') devices.forget();
    return exit;
  }

  #slice(): VcpuExit | null {
    const { sev, time } = this.#vm;
    if (sev.lacksKey) return { kind: 'fail-entry', hardwareReason: 'ffffffffffffffff' };
    const now = time.now();
    this.#vm.controllers.tick(now);
    this.#processor.takeStartSignals();
    if (this.#processor.isWaiting()) return this.#interruptions.wait(now) ? null : this.#interrupted();
    const refused = this.#interruptions.deliver();
    if (refused !== 0) return this.#left(refused);
    return this.#left(this.#slices.run(this.#slices.budget(now)));
  }

  /** What the engine came back for; null goes on. */
  #left(reason: number): VcpuExit | null {
    switch (reason) {
      case layout.EXIT_BUDGET:
      case layout.EXIT_IRQ_WINDOW:
        return null;
      case layout.EXIT_HLT:
        return this.#halted();
      case layout.EXIT_SHUTDOWN:
        return SHUTDOWN;
      case layout.EXIT_IO: {
        const exit = this.#io.ask();
        if (exit === null) return this.#step();
        this.#pending = 'io';
        return exit;
      }
      case layout.EXIT_MMIO:
        return this.#device();
      case layout.EXIT_FILL:
        return this.#noMemory();
      case layout.EXIT_RDMSR:
      case layout.EXIT_WRMSR: {
        const exit = this.#msr.ask(reason === layout.EXIT_WRMSR);
        if (exit === null) return this.#step();
        this.#pending = 'msr';
        return exit;
      }
      case layout.EXIT_CPUID:
        this.#processor.answerCpuid();
        return null;
      case layout.EXIT_HYPERCALL: {
        const exit = this.#hypercall.ask();
        if (exit === null) return null;
        this.#pending = 'hypercall';
        return exit;
      }
      case layout.EXIT_CR8:
        this.#processor.priorityWritten();
        return null;
      case layout.EXIT_UNSUPPORTED:
        return emulationFailed(this.#code());
      default:
        throw new Error(`the engine came back with ${reason}`);
    }
  }

  #halted(): VcpuExit | null {
    if (!this.#processor.halt()) return HLT;
    return null;
  }

  #device(): VcpuExit | null {
    const { engine, devices } = this.#processor;
    const { cpu } = engine;
    const [rip, count] = [cpu.low('rip'), cpu.low('rcx')];
    if (devices.endedAnswered) {
      devices.endedAnswered = false;
      return this.#repeat();
    }
    // An element of a string instruction that is done stays done: what follows is another instruction.
    if (rip !== this.#mmioRip || count !== this.#mmioCount) devices.forget();
    this.#mmioRip = rip;
    this.#mmioCount = count;
    if (devices.endedEarly) {
      devices.endedEarly = false;
      return this.#repeat();
    }
    const shape = cpu.word(layout.EXIT_ARG1);
    const exit = this.#mmio.load(this.#processor.argument(layout.EXIT_ARG0), shape & 0xff, (shape & 0x100) !== 0);
    if (exit.isWrite) this.#processor.copyOut(layout.EXIT_ARG2, exit.data);
    // Size 0: code is fetched from a device's address. Looking at the code comes last: it uses the arguments itself.
    if (exit.size === 0) return emulationFailed(new Uint8Array());
    const code = this.#code();
    if (!isEmulated(code, cpu.codeBits)) return emulationFailed(code);
    this.#pending = 'mmio';
    return exit;
  }

  #noMemory(): VcpuExit | null {
    const { memory, engine } = this.#processor;
    const { fault } = memory;
    memory.fault = 'none';
    if (fault === 'finding') {
      memory.tell(engine.filledGpa, engine.cpu.word(layout.RETIRED));
      return null;
    }
    if (fault === 'enomem') throw failure('KVM_RUN', ERRNO.ENOMEM);
    return this.#memoryFault.load(ERRNO.EFAULT, memory.gpa, memory.isPrivate);
  }

  #code(): Uint8Array {
    const { space, host } = this.#vm;
    return codeBytes(this.#processor.engine, space, host.memory);
  }
}
