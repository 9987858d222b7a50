import type { GpaRange, Vcpu, View } from '@unpin/kvm';
import type { AnyGuestMemory, HostUse, Judgement, Lie } from '@unpin/kvm/guest-memory';
import { hostUseOnHardware } from '@unpin/kvm/guest-memory';
import type { Regime } from '@unpin/policy';
import { nowMs } from '../clock.ts';
import type { Tracer } from '../trace/tracer.ts';
import type { ControlBlock } from './control-block.ts';
import type { ConversionContext } from './conversions.ts';
import type { ConversionRecord, MachineEnding } from './messages.ts';
import { ON_PROBATION, type Probation, type ProbationEvent, probationAfter } from './probation.ts';
import type { Teller } from './teller.ts';

export interface WitnessOptions {
  readonly vcpu: Vcpu;
  readonly memory: AnyGuestMemory;
  readonly regime: Regime;
  readonly teller: Teller;
  readonly control: ControlBlock;
  readonly tracer: Tracer;
  readonly onLie: 'name' | 'stop';
  readonly onProbation: boolean;
}

/** Sees what a guest does with its pages: writes it down, and says when the machine must end for it. */
export class Witness implements ConversionContext {
  readonly memory: AnyGuestMemory;
  readonly regime: Regime;
  readonly #options: WitnessOptions;
  #probation: Probation | undefined;
  #ending: MachineEnding | undefined;

  constructor(options: WitnessOptions) {
    this.#options = options;
    this.memory = options.memory;
    this.regime = options.regime;
    this.#probation = options.onProbation ? ON_PROBATION : undefined;
  }

  /** Set once something has happened that ends the machine after this exit. */
  get ending(): MachineEnding | undefined {
    return this.#ending;
  }

  get probation(): Probation | undefined {
    return this.#probation;
  }

  /** The first ending stays. */
  end(how: MachineEnding): MachineEnding {
    this.#ending ??= how;
    return this.#ending;
  }

  crash(detail: string): MachineEnding {
    return this.end({ reason: 'crashed', detail, rip: this.rip() });
  }

  readonly rip = (): bigint => this.#options.vcpu.getRegs().rip;

  /** For ConversionContext: one conversion that the guest asked for. */
  readonly record = (entry: ConversionRecord): void => {
    this.#tell(entry);
    if (entry.ret === 0) this.#probe({ kind: 'reported' });
  };

  /** A page that the guest touched without asking first, on a KVM that tells. */
  implicitConversion(range: GpaRange, to: View): void {
    const atMs = nowMs();
    const outcome = this.memory.convert(range, to);
    this.#tell({
      atMs,
      gpa: range.gpa,
      bytes: range.size,
      to,
      rip: this.rip(),
      changedBytes: outcome.changed,
      discardedBytes: outcome.discarded,
      microseconds: Math.round((nowMs() - atMs) * 1000),
      ret: 0,
    });
  }

  judged(judgement: Judgement): MachineEnding | undefined {
    if (judgement.wrongView !== null) {
      this.#options.control.count('wrongViewAccesses');
      this.#options.tracer.wrongView(judgement.wrongView);
    }
    this.#countSaturated();
    return this.#write(judgement.lies);
  }

  /** Pages that the judge has given up watching are told, never dropped silently. */
  #countSaturated(): void {
    const { memory } = this;
    if (memory.kind !== 'shaped-upm') return;
    const { control } = this.#options;
    control.count('saturatedPages', memory.judgeFigures().saturatedPages - control.counter('saturatedPages'));
  }

  /** The host is about to use a page. An ending means: it must not, nothing was done yet. */
  hostUse(range: GpaRange, use: HostUse): MachineEnding | undefined {
    const { memory } = this;
    if (this.regime.conversions !== 'hypercall' || !memory.covers(pagesOf(range))) return undefined;
    const attribute = memory.attributeOf(range.gpa);
    this.#probe({ kind: 'host-use', use, gpa: range.gpa, attribute });
    if (this.#ending !== undefined) return this.#ending;
    if (memory.kind === 'shaped-upm') return this.#write(memory.hostUse(range, use));
    return attribute === 'private' ? this.#write([privateHostUse(range, use)]) : undefined;
  }

  #tell(entry: ConversionRecord): void {
    this.#options.teller.conversion(entry);
    this.#options.tracer.conversion(entry);
  }

  #probe(event: ProbationEvent): void {
    const before = this.#probation;
    if (before === undefined) return;
    const after = probationAfter(before, event);
    this.#probation = after;
    if (after.state === 'failed') this.end({ reason: 'crashed', detail: 'probation', rip: this.rip() });
  }

  #write(lies: readonly Lie[]): MachineEnding | undefined {
    if (lies.length === 0) return undefined;
    const rip = this.rip();
    const atMs = nowMs();
    for (const { kind, gpa, bytes, view, hostUse, onHardware } of lies)
      this.#options.teller.lie({
        atMs,
        kind,
        gpa,
        bytes,
        view,
        rip,
        ...(hostUse === undefined ? {} : { hostUse }),
        onHardware,
      });
    if (this.#options.onLie === 'name') return undefined;
    const [first] = lies;
    const what =
      first === undefined ? 'a lie' : `${first.kind} of GPA 0x${first.gpa.toString(16)}: ${first.onHardware}`;
    return this.end({ reason: 'lie', detail: what, rip });
  }
}

function privateHostUse(range: GpaRange, use: HostUse): Lie {
  return {
    kind: 'host-use',
    gpa: range.gpa,
    bytes: range.size,
    view: 'shared',
    writtenView: 'private',
    attribute: 'private',
    hostUse: use,
    exact: false,
    onHardware: hostUseOnHardware(use),
  };
}

const PAGE = 4096;

function pagesOf(range: GpaRange): GpaRange {
  const gpa = range.gpa - (range.gpa % PAGE);
  return { gpa, size: Math.ceil((range.gpa + range.size - gpa) / PAGE) * PAGE };
}
