import type { VcpuExit } from '../port/exit.ts';
import { EXIT_REASONS } from '../uapi/constants.ts';
import { KVM_RUN_STRUCT } from '../uapi/run-struct.ts';
import {
  failEntry,
  internalError,
  LoadedHypercall,
  LoadedIo,
  LoadedMemoryFault,
  LoadedMmio,
  LoadedRdmsr,
  LoadedSystemEvent,
  LoadedWrmsr,
} from './exit-objects.ts';
import type { RunPage } from './run-page.ts';

const REASON = KVM_RUN_STRUCT.fields.exit_reason.offset >> 2;
const HLT: VcpuExit = Object.freeze({ kind: 'hlt' });
const SHUTDOWN: VcpuExit = Object.freeze({ kind: 'shutdown' });
const IRQ_WINDOW_OPEN: VcpuExit = Object.freeze({ kind: 'irq-window-open' });
export const INTR: VcpuExit = Object.freeze({ kind: 'intr' });

/** Turns kvm_run into the port's exits: one reader a vCPU, objects reused. */
export class ExitReader {
  readonly #page: RunPage;
  readonly #io: LoadedIo;
  readonly #mmio: LoadedMmio;
  readonly #hypercall: LoadedHypercall;
  readonly #memoryFault: LoadedMemoryFault;
  readonly #rdmsr: LoadedRdmsr;
  readonly #wrmsr: LoadedWrmsr;
  readonly #systemEvent: LoadedSystemEvent;

  constructor(page: RunPage) {
    this.#page = page;
    this.#io = new LoadedIo(page);
    this.#mmio = new LoadedMmio(page);
    this.#hypercall = new LoadedHypercall(page);
    this.#memoryFault = new LoadedMemoryFault(page);
    this.#rdmsr = new LoadedRdmsr(page);
    this.#wrmsr = new LoadedWrmsr(page);
    this.#systemEvent = new LoadedSystemEvent(page);
  }

  /** Why KVM_RUN came back, after it answered 0. */
  read(): VcpuExit {
    const reason = this.#page.words[REASON] ?? 0;
    switch (reason) {
      case EXIT_REASONS.KVM_EXIT_IO:
        return this.#io.load();
      case EXIT_REASONS.KVM_EXIT_MMIO:
        return this.#mmio.load();
      case EXIT_REASONS.KVM_EXIT_HYPERCALL:
        return this.#hypercall.load();
      case EXIT_REASONS.KVM_EXIT_X86_RDMSR:
        return this.#rdmsr.load();
      case EXIT_REASONS.KVM_EXIT_X86_WRMSR:
        return this.#wrmsr.load();
      case EXIT_REASONS.KVM_EXIT_HLT:
        return HLT;
      case EXIT_REASONS.KVM_EXIT_INTR:
        return INTR;
      case EXIT_REASONS.KVM_EXIT_SHUTDOWN:
        return SHUTDOWN;
      case EXIT_REASONS.KVM_EXIT_IRQ_WINDOW_OPEN:
        return IRQ_WINDOW_OPEN;
      case EXIT_REASONS.KVM_EXIT_SYSTEM_EVENT:
        return this.#systemEvent.load();
      case EXIT_REASONS.KVM_EXIT_FAIL_ENTRY:
        return failEntry(this.#page);
      case EXIT_REASONS.KVM_EXIT_INTERNAL_ERROR:
        return internalError(this.#page);
      default:
        return { kind: 'unsupported', reason };
    }
  }

  /**
   * The memory fault behind an EFAULT or EHWPOISON of KVM_RUN, or null where kvm_run names none. The reason is taken
   * away, so that a later EFAULT of another cause can't be mistaken for this one again.
   */
  readMemoryFault(errno: number): VcpuExit | null {
    if (this.#page.words[REASON] !== EXIT_REASONS.KVM_EXIT_MEMORY_FAULT) return null;
    this.#page.words[REASON] = EXIT_REASONS.KVM_EXIT_UNKNOWN;
    return this.#memoryFault.load(errno);
  }
}
