import type {
  HypercallExit,
  InternalErrorExit,
  MemoryFaultExit,
  MmioExit,
  RdmsrExit,
  Vcpu,
  VcpuExit,
  WrmsrExit,
} from '@unpin/kvm';
import { PAGE_BYTES } from '@unpin/kvm';
import type { AnyGuestMemory, Judgement } from '@unpin/kvm/guest-memory';
import type { ShapedMsrs } from '@unpin/kvm/shape';
import type { Board } from './board.ts';
import { convertByRequest } from './conversions.ts';
import { hostUseOf, isHostUseMsr } from './host-uses.ts';
import { HYPERCALL_ENOSYS, MAP_GPA_RANGE } from './map-gpa-range.ts';
import type { MachineEnding } from './messages.ts';
import type { Witness } from './witness.ts';

/** KVM_SYSTEM_EVENT_* */
const SYSTEM_EVENT_SHUTDOWN = 1;
const SYSTEM_EVENT_RESET = 2;

/** What exits are handled with. */
export interface ExitContext {
  readonly vcpu: Vcpu;
  readonly memory: AnyGuestMemory;
  readonly board: Board;
  readonly witness: Witness;
  /** The MSRs of an SEV guest where KVM has none; null for guests without. */
  readonly msrs: ShapedMsrs | null;
  /** A kick: look at what the main thread wants. */
  readonly onKick: () => MachineEnding | undefined;
}

/** What one exit means. Undefined: run on. */
export function handleExit(context: ExitContext, exit: VcpuExit): MachineEnding | undefined {
  switch (exit.kind) {
    case 'io':
      context.board.pio.transfer(exit.direction, exit.port, exit.size, exit.data);
      return context.witness.ending;
    case 'mmio':
      return handleMmio(context, exit);
    case 'hypercall':
      return handleHypercall(context, exit);
    case 'rdmsr':
      return handleRdmsr(context, exit);
    case 'wrmsr':
      return handleWrmsr(context, exit);
    case 'memory-fault':
      return handleMemoryFault(context, exit);
    case 'intr':
      return judgeViews(context) ?? context.onKick();
    case 'hlt':
      // Without an in-kernel interrupt controller nothing could wake it.
      return { reason: 'power-off', detail: 'halted' };
    case 'shutdown':
      return crash(context, 'triple fault');
    case 'fail-entry':
      return crash(context, `the processor refused to enter the guest (${exit.hardwareReason})`);
    case 'system-event':
      if (exit.type === SYSTEM_EVENT_SHUTDOWN) return { reason: 'power-off' };
      if (exit.type === SYSTEM_EVENT_RESET) return { reason: 'reboot' };
      return crash(context, `system event ${exit.type}`);
    case 'internal-error':
      return handleInternalError(context, exit);
    case 'irq-window-open':
      return undefined;
    case 'unsupported':
      return crash(context, `KVM exit ${exit.reason}, which this version does not know`);
  }
}

function handleMmio({ memory, board, witness }: ExitContext, exit: MmioExit): MachineEnding | undefined {
  const judgement: Judgement | null = memory.kind === 'shaped-upm' ? memory.onMmio(exit) : null;
  if (judgement !== null) return witness.judged(judgement);
  if (exit.isWrite) board.mmio.write(exit.gpa, exit.data);
  else board.mmio.read(exit.gpa, exit.data);
  return witness.ending;
}

/** What an emulated guest has done with its two views: its KVM ends the run to tell. */
function judgeViews({ memory, witness }: ExitContext): MachineEnding | undefined {
  if (memory.kind !== 'attributes') return undefined;
  for (const judgement of memory.judgements()) {
    const ending = witness.judged(judgement);
    if (ending !== undefined) return ending;
  }
  return undefined;
}

function handleHypercall(context: ExitContext, exit: HypercallExit): MachineEnding | undefined {
  if (exit.nr !== MAP_GPA_RANGE) {
    exit.setReturn(HYPERCALL_ENOSYS);
    return undefined;
  }
  exit.setReturn(convertByRequest(context.witness, exit.arg(0), exit.arg(1), exit.arg(2)));
  return context.witness.ending;
}

function handleRdmsr({ msrs }: ExitContext, exit: RdmsrExit): undefined {
  const value = msrs?.read(exit.index) ?? null;
  if (value === null) exit.refuse();
  else exit.complete(value.high, value.low);
}

/** Writes that ask the host to use a page are judged first, then done as KVM would have done them. */
function handleWrmsr({ vcpu, witness, msrs }: ExitContext, exit: WrmsrExit): MachineEnding | undefined {
  if (!isHostUseMsr(exit.index)) {
    if (msrs?.write(exit.index, exit.high, exit.low) === true) exit.complete();
    else exit.refuse();
    return undefined;
  }
  const value = (BigInt(exit.high) << 32n) | BigInt(exit.low);
  const wanted = hostUseOf(exit.index, value);
  const ending = wanted === undefined ? undefined : witness.hostUse(wanted.range, wanted.use);
  if (ending !== undefined) return ending;
  if (vcpu.setMsrs([{ index: exit.index, value }]) === 1) exit.complete();
  else exit.refuse();
  return undefined;
}

/** An implicit conversion: the guest touched a page through the view that its attribute doesn't have. */
function handleMemoryFault({ memory, witness }: ExitContext, exit: MemoryFaultExit): MachineEnding | undefined {
  const gpa = exit.gpa - (exit.gpa % PAGE_BYTES);
  const size = Math.max(PAGE_BYTES, Math.ceil(exit.size / PAGE_BYTES) * PAGE_BYTES);
  if (memory.kind !== 'attributes' || !memory.covers({ gpa, size }))
    return witness.crash(`memory fault at GPA 0x${exit.gpa.toString(16)} (errno ${exit.errno})`);
  witness.implicitConversion({ gpa, size }, exit.isPrivate ? 'private' : 'shared');
  return undefined;
}

function handleInternalError(context: ExitContext, exit: InternalErrorExit): MachineEnding | undefined {
  const { memory } = context;
  if (memory.kind === 'shaped-upm' && memory.relax()) return undefined;
  return crash(context, `KVM internal error ${exit.suberror} (${exit.data.join(' ')})`);
}

function crash({ witness }: ExitContext, detail: string): MachineEnding {
  return witness.crash(detail);
}
