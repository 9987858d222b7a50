import { type ExitKind, type GuestException, PAGE_BYTES, type Vcpu, type VcpuExit, type View } from '@unpin/kvm';
import type { WrongView } from '@unpin/kvm/guest-memory';
import { performanceOffsetMs } from '../clock.ts';
import { type ControlBlock, EXIT_KINDS } from '../machine/control-block.ts';
import type { ConversionRecord } from '../machine/messages.ts';
import { TRACE_BITS } from './kinds.ts';
import { FIELD, FLAG, RECORD, type TraceBuffer } from './trace-buffer.ts';
import { TraceWriter } from './trace-writer.ts';

/** KVM_MP_STATE_HALTED */
const HALTED = 3;
const NS_PER_MS = 1e6;
/** No record is open. */
const NONE = -1;

const exitCodes = new Map<ExitKind, number>(EXIT_KINDS.map((kind, index) => [kind, index]));

/**
 * Writes down what the machine's thread sees, while someone traces. The run loop asks the control block once an exit
 * whether anyone does, and calls nothing here where nobody does; a kick tells of a change in between.
 */
export class Tracer {
  readonly #vcpu: Vcpu;
  readonly #control: ControlBlock;
  readonly #buffer: TraceBuffer;
  readonly #writer: TraceWriter;
  readonly #clockOffset = performanceOffsetMs();
  /** What is traced during this exit; 0 between exits, and where nobody traces. */
  #kinds = 0;
  #exit = NONE;
  #exitCode = 0;
  #beganNs = 0;
  #samplesGiven: number;
  #hearsExceptions = false;

  constructor(vcpu: Vcpu, control: ControlBlock, buffer: TraceBuffer) {
    this.#vcpu = vcpu;
    this.#control = control;
    this.#buffer = buffer;
    this.#writer = new TraceWriter(buffer);
    this.#samplesGiven = control.samplesWanted;
  }

  /** KVM has handed over, and someone traces. The exit must not have been handled: its parts are still valid. */
  begin(kinds: number, exit: VcpuExit): void {
    this.#kinds = kinds;
    this.#beganNs = this.#now();
    this.#exitCode = exitCodes.get(exit.kind) ?? 0;
    if ((kinds & TRACE_BITS.exits) !== 0) this.#exit = this.#writeExit(exit);
    if ((kinds & TRACE_BITS.faults) !== 0 && exit.kind === 'memory-fault') {
      const at = this.#record(RECORD.memoryFault, this.#vcpu.getRegs().rip);
      this.#view(at, exit.isPrivate ? 'private' : 'shared');
      this.#place(at, exit.gpa, exit.size);
      this.#setDouble(at, FIELD.amount, exit.errno);
    }
  }

  /** The exit has been handled. */
  end(): void {
    const ns = this.#now() - this.#beganNs;
    if (this.#exit !== NONE) {
      this.#setDouble(this.#exit, FIELD.ns, ns);
      const { totals } = this.#buffer;
      totals[this.#exitCode * 2] = (totals[this.#exitCode * 2] ?? 0) + 1;
      totals[this.#exitCode * 2 + 1] = (totals[this.#exitCode * 2 + 1] ?? 0) + ns;
    }
    this.#exit = NONE;
    this.#kinds = 0;
    this.#writer.publish();
  }

  conversion(entry: ConversionRecord): void {
    if ((this.#kinds & TRACE_BITS.conversions) === 0) return;
    const at = this.#record(RECORD.conversion, entry.rip);
    this.#view(at, entry.to);
    this.#setDouble(at, FIELD.place, entry.gpa);
    this.#setDouble(at, FIELD.amount, entry.bytes);
    this.#setDouble(at, FIELD.ns, entry.microseconds * 1000);
    this.#setDouble(at, FIELD.ret, entry.ret);
    this.#buffer.u32[at + FIELD.code] = entry.changedBytes / PAGE_BYTES;
    this.#buffer.u32[at + FIELD.size] = entry.discardedBytes / PAGE_BYTES;
  }

  wrongView(found: WrongView): void {
    if ((this.#kinds & TRACE_BITS.faults) === 0) return;
    const at = this.#record(RECORD.wrongView, this.#vcpu.getRegs().rip);
    this.#view(at, found.view);
    this.#flag(at, found.isWrite ? FLAG.write : 0);
    this.#flag(at, found.attribute === 'private' ? FLAG.attributePrivate : 0);
    this.#place(at, found.gpa, found.size);
  }

  /** The vCPU was kicked: takes the sample that is wanted, and listens to exceptions while they are. */
  kicked(): void {
    this.#hearExceptions((this.#control.traced & TRACE_BITS.faults) !== 0);
    const wanted = this.#control.samplesWanted;
    if (wanted === this.#samplesGiven) return;
    this.#samplesGiven = wanted;
    if ((this.#kinds & TRACE_BITS.samples) === 0) return;
    const at = this.#record(RECORD.sample, this.#vcpu.getRegs().rip);
    this.#buffer.u32[at + FIELD.code] = this.#vcpu.getSregs().ss.dpl;
    this.#flag(at, this.#vcpu.getMpState() === HALTED ? FLAG.halted : 0);
  }

  #hearExceptions(wanted: boolean): void {
    if (wanted === this.#hearsExceptions) return;
    this.#hearsExceptions = wanted;
    this.#vcpu.trace?.(wanted ? (exception) => this.#exception(exception) : null);
  }

  /** Within a run, so between two exits. */
  #exception(exception: GuestException): void {
    const { u32 } = this.#buffer;
    const at = this.#open(RECORD.exception, this.#now());
    u32[at + FIELD.ripLow] = exception.ripLow;
    u32[at + FIELD.ripHigh] = exception.ripHigh;
    u32[at + FIELD.addressLow] = exception.addressLow;
    u32[at + FIELD.addressHigh] = exception.addressHigh;
    u32[at + FIELD.code] = exception.vector;
    u32[at + FIELD.size] = exception.errorCode ?? 0;
    this.#flag(at, exception.errorCode === null ? 0 : FLAG.hasErrorCode);
    this.#writer.publish();
  }

  #writeExit(exit: VcpuExit): number {
    const at = this.#open(RECORD.exit, this.#beganNs);
    this.#buffer.u32[at + FIELD.code] = this.#exitCode;
    this.#setDouble(at, FIELD.place, 0);
    switch (exit.kind) {
      case 'io':
        this.#place(at, exit.port, exit.size);
        this.#setDouble(at, FIELD.amount, exit.count);
        this.#flag(at, exit.direction === 'out' ? FLAG.write : 0);
        break;
      case 'mmio':
        this.#place(at, exit.gpa, exit.size);
        this.#flag(at, exit.isWrite ? FLAG.write : 0);
        break;
      case 'memory-fault':
        this.#place(at, exit.gpa, exit.size);
        this.#view(at, exit.isPrivate ? 'private' : 'shared');
        break;
      case 'rdmsr':
      case 'wrmsr':
        this.#setDouble(at, FIELD.place, exit.index);
        break;
      case 'hypercall':
        this.#setDouble(at, FIELD.place, exit.nr);
        break;
      case 'system-event':
        this.#setDouble(at, FIELD.place, exit.type);
        break;
      case 'internal-error':
        this.#setDouble(at, FIELD.place, exit.suberror);
        break;
      case 'unsupported':
        this.#setDouble(at, FIELD.place, exit.reason);
        break;
      case 'hlt':
      case 'shutdown':
      case 'fail-entry':
      case 'intr':
      case 'irq-window-open':
        break;
    }
    return at;
  }

  #record(tag: number, rip: bigint): number {
    const at = this.#open(tag, this.#now());
    this.#buffer.u32[at + FIELD.ripLow] = Number(rip & 0xffff_ffffn);
    this.#buffer.u32[at + FIELD.ripHigh] = Number(rip >> 32n);
    return at;
  }

  #open(tag: number, atNs: number): number {
    const at = this.#writer.begin();
    this.#buffer.u32[at + FIELD.tag] = tag;
    this.#buffer.u32[at + FIELD.flags] = 0;
    this.#setDouble(at, FIELD.at, atNs);
    return at;
  }

  #place(at: number, place: number, bytes: number): void {
    this.#setDouble(at, FIELD.place, place);
    this.#buffer.u32[at + FIELD.size] = bytes;
  }

  #view(at: number, view: View): void {
    this.#flag(at, view === 'private' ? FLAG.private : 0);
  }

  #flag(at: number, flag: number): void {
    this.#buffer.u32[at + FIELD.flags] = (this.#buffer.u32[at + FIELD.flags] ?? 0) | flag;
  }

  #setDouble(at: number, field: number, value: number): void {
    this.#buffer.f64[(at >> 1) + field] = value;
  }

  #now(): number {
    return (performance.now() + this.#clockOffset) * NS_PER_MS;
  }
}
