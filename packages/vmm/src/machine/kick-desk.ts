import type { UnpinError } from '@unpin/contract';
import type { MemoryFigures, Vcpu } from '@unpin/kvm';
import { isParked } from '../cpu/index.ts';
import type { Tracer } from '../trace/tracer.ts';
import type { ControlBlock } from './control-block.ts';
import type { MachineEnding } from './messages.ts';
import type { SerialConsole } from './serial-console.ts';
import type { SnapshotDesk } from './snapshot/snapshot-desk.ts';
import type { Teller } from './teller.ts';

/** KVM_MP_STATE_HALTED */
const HALTED = 3;

export interface KickDeskOptions {
  readonly vcpu: Vcpu;
  readonly figures: () => MemoryFigures;
  readonly control: ControlBlock;
  readonly teller: Teller;
  readonly serial: SerialConsole;
  readonly tracer: Tracer;
  readonly snapshots: SnapshotDesk;
  /** Something that went wrong beside the guest. */
  readonly trouble: () => UnpinError | undefined;
}

/** What a kicked vCPU's thread looks at before it goes on. */
export class KickDesk {
  readonly #options: KickDeskOptions;
  #figuresGiven: number;

  constructor(options: KickDeskOptions) {
    this.#options = options;
    this.#figuresGiven = options.control.figuresWanted;
  }

  look(): MachineEnding | undefined {
    const { vcpu, control, teller, serial, figures } = this.#options;
    const stop = control.stopReason;
    if (stop !== 'none') return { reason: 'requested', stop, rip: vcpu.getRegs().rip };
    const trouble = this.#options.trouble();
    if (trouble !== undefined) return { reason: 'failed', error: trouble.toBody() };
    serial.feed();
    const saved = this.#options.snapshots.look();
    if (saved !== undefined) return saved;
    this.#options.tracer.kicked();
    if (control.figuresWanted !== this.#figuresGiven) {
      this.#figuresGiven = control.figuresWanted;
      teller.say({ kind: 'figures', seq: this.#figuresGiven, memory: figures() });
    }
    teller.flush();
    return control.tickWanted ? this.#answerTick() : undefined;
  }

  /** A guest that has halted for good has switched itself off, as far as it can. */
  #answerTick(): MachineEnding | undefined {
    const { vcpu, control } = this.#options;
    const regs = vcpu.getRegs();
    const mpState = vcpu.getMpState();
    if (isParked(regs, mpState)) return { reason: 'power-off', detail: 'halted with interrupts off' };
    control.answerTick({ rip: Number(regs.rip), halted: mpState === HALTED, cpl: vcpu.getSregs().ss.dpl });
    return undefined;
  }
}
