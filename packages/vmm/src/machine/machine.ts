import type { LaunchOrder } from '@unpin/contract';
import type { Kvm, MemoryFigures, Vcpu, VcpuExit, Vm } from '@unpin/kvm';
import type { AnyGuestMemory } from '@unpin/kvm/guest-memory';
import { ShapedMsrs } from '@unpin/kvm/shape';
import { PARAVIRT } from '@unpin/kvm/uapi';
import type { Regime } from '@unpin/policy';
import { load, ramRanges } from '../boot/index.ts';
import { nowMs } from '../clock.ts';
import { guestCpuid, hostCpuFacts, isEmulatedHost, prepareVcpu } from '../cpu/index.ts';
import { machineFigures } from '../figures/machine-figures.ts';
import { TraceBuffer } from '../trace/trace-buffer.ts';
import { Tracer } from '../trace/tracer.ts';
import { type Board, buildBoard } from './board.ts';
import type { ReadBootSet } from './boot-set.ts';
import type { ControlBlock } from './control-block.ts';
import { createVm } from './create-vm.ts';
import { type ExitContext, handleExit } from './exit-handler.ts';
import { KickDesk } from './kick-desk.ts';
import { openSevLaunch } from './launch-sev.ts';
import type { MachineEnding, SnapshotRequest } from './messages.ts';
import { type HeldPins, NO_PINS, pinUpfront, pinWhatIsTouched } from './pin-memory.ts';
import { probeChannel, probeDoorbells } from './probe-doorbells.ts';
import { createRegimeMemory } from './regime-memory.ts';
import { type RestoredMachine, restoreMachine } from './snapshot/restore-machine.ts';
import { restoreBoard } from './snapshot/saved-machine.ts';
import { SnapshotDesk, type SoftwareModule } from './snapshot/snapshot-desk.ts';
import type { Teller } from './teller.ts';
import { Witness } from './witness.ts';

/** linux/kvm.h */
const KVM_CAP_TSC_DEADLINE_TIMER = 72;

export interface MachineOptions {
  readonly kvm: Kvm;
  readonly order: LaunchOrder;
  /** The order's regime, or that of its probation's fallback. */
  readonly regime: Regime;
  readonly onProbation: boolean;
  /** Null where the order says to go on from a snapshot. */
  readonly bootSet: ReadBootSet | null;
  readonly teller: Teller;
  readonly control: ControlBlock;
  readonly consoleOut: SharedArrayBuffer;
  readonly consoleIn: SharedArrayBuffer;
  readonly trace: SharedArrayBuffer;
  /** Of the guest's RTC; default: the host's. */
  readonly wallClock?: () => Date;
  /** Tells the guest that its KVM wants reports, whether or not its type needs them. Default: as the type needs it. */
  readonly wantsReports?: boolean;
  /** The next request for a snapshot that was sent. Default: nobody asks. */
  readonly nextSnapshot?: () => SnapshotRequest | undefined;
}

interface MachineContext extends ExitContext {
  readonly figures: () => MemoryFigures;
  readonly tracer: Tracer;
}

/** Things to give back, the latest first. */
type Cleanup = (() => void)[];

/** A VM that is ready for its first instruction. It belongs to the thread that launched it. */
export class Machine {
  readonly witness: Witness;
  readonly vm: Vm;
  readonly vcpu: Vcpu;
  readonly memory: AnyGuestMemory;
  readonly #options: MachineOptions;
  readonly #context: MachineContext;
  readonly #cleanup: Cleanup;

  private constructor(options: MachineOptions, vm: Vm, context: MachineContext, cleanup: Cleanup) {
    this.#options = options;
    this.vm = vm;
    this.vcpu = context.vcpu;
    this.memory = context.memory;
    this.#context = context;
    this.#cleanup = cleanup;
    this.witness = context.witness;
  }

  /**
   * VM, memory, devices, pins, boot set, registers: in this order, by the regime. What was made is given back where a
   * step fails.
   */
  static async launch(options: MachineOptions): Promise<Machine> {
    const cleanup: Cleanup = [];
    try {
      return await assemble(options, cleanup, (vm, context) => new Machine(options, vm, context, cleanup));
    } catch (cause) {
      giveBack(cleanup);
      throw cause;
    }
  }

  /** Runs the guest until it ends. Blocks its thread. */
  run(): MachineEnding {
    const { control, teller, regime } = this.#options;
    const { vcpu } = this;
    const context = this.#context;
    const { tracer } = context;
    teller.state('running', regime.type);
    teller.say({ kind: 'kick-target', target: vcpu.kickTarget() });
    // Someone may have said stop while memory was being pinned.
    const early = context.onKick();
    if (early !== undefined) return early;
    teller.say({ kind: 'first-instruction', atMs: nowMs() });
    for (;;) {
      const exit = vcpu.run();
      control.countExit(exit.kind);
      const { traced } = control;
      if (traced !== 0) tracer.begin(traced, exit);
      const ending = handleExit(context, exit);
      if (traced !== 0) tracer.end();
      if (ending !== undefined) return ending;
    }
  }

  /** What one exit of the vCPU means, for whoever runs it by himself. Undefined: run on. */
  handle(exit: VcpuExit): MachineEnding | undefined {
    return handleExit(this.#context, exit);
  }

  /** Last figures, while there is still something to count. */
  tellFigures(): void {
    const { control, teller } = this.#options;
    teller.say({ kind: 'figures', seq: control.figuresWanted, memory: this.#context.figures() });
  }

  close(): void {
    giveBack(this.#cleanup);
  }
}

type Ready = (vm: Vm, context: MachineContext) => Machine;

async function assemble(options: MachineOptions, cleanup: Cleanup, ready: Ready): Promise<Machine> {
  const { order, regime, teller, bootSet } = options;
  teller.state('preparing', regime.type);
  const software = order.execution === 'emulated' ? await import('@unpin/kvm/software') : null;
  if (bootSet !== null) return await assembleNew(options, software, bootSet, cleanup, ready);
  if (order.restore !== undefined) return await assembleSaved(options, software, order.restore.path, cleanup, ready);
  throw new Error('neither a boot set nor a snapshot');
}

/** A machine that goes on where a saved one was. */
async function assembleSaved(
  options: MachineOptions,
  software: SoftwareModule | null,
  path: string,
  cleanup: Cleanup,
  ready: Ready,
): Promise<Machine> {
  const { kvm, order, regime, teller } = options;
  const begin = nowMs();
  const { vm, vcpu, memory, saved, bytes } = restoreMachine({ path, order, regime, kvm, software });
  cleanup.push(() => vm.close());
  cleanup.push(() => memory.close());
  const { privateMemory, kernel } = saved;
  teller.say({ kind: 'facts', cBit: memory.cBit, privateMemory, ...(kernel === undefined ? {} : { kernel }) });
  const pins = await pin(options, vm, memory, true);
  cleanup.push(() => pins.release());
  cleanup.push(() => vcpu.close());
  const context = connect(options, { vm, vcpu, memory, pins, software, kernel, privateMemory }, saved);
  teller.say({ kind: 'restored-console', bytes: saved.console });
  teller.event(`restored ${Math.round(bytes / 2 ** 20)} MiB in ${Math.round(nowMs() - begin)} ms`);
  return ready(vm, context);
}

async function assembleNew(
  options: MachineOptions,
  software: SoftwareModule | null,
  bootSet: ReadBootSet,
  cleanup: Cleanup,
  ready: Ready,
): Promise<Machine> {
  const { kvm, order, regime, teller } = options;
  const vm = createVm(kvm, regime, order.execution);
  cleanup.push(() => vm.close());
  const ram = ramRanges(order.memoryBytes);
  const backing = createRegimeMemory({
    kvm,
    vm,
    regime,
    execution: order.execution,
    ram,
    wantsReports: options.wantsReports,
  });
  const { memory } = backing;
  cleanup.push(() => memory.close());
  teller.say({
    kind: 'facts',
    cBit: memory.cBit,
    privateMemory: backing.privateMemory,
    ...(bootSet.banner === undefined ? {} : { kernel: bootSet.banner }),
  });
  const sev = openSevLaunch(vm, regime, order.execution);
  cleanup.push(() => sev?.close());
  const plan = bootSet.plan({ ram, cBit: memory.cBit, channel: probeChannel(regime, kvm.info.engine) });

  const pins = await pin(options, vm, memory);
  cleanup.push(() => pins.release());
  teller.state('loading', regime.type);
  load(memory, plan);
  // Who is on probation may have to start again.
  if (!options.onProbation) bootSet.forget();

  const vcpu = vm.createVcpu(0);
  cleanup.push(() => vcpu.close());
  prepareVcpu(vcpu, backing.cpuid(cpuidOf(kvm, vm)), plan.entry);
  sev?.seal(memory, plan);
  const { privateMemory } = backing;
  const context = connect(options, { vm, vcpu, memory, pins, software, kernel: bootSet.banner, privateMemory });
  teller.event('the guest is ready to run');
  return ready(vm, context);
}

/** What was made of a machine before its devices. */
interface Made extends Pick<RestoredMachine, 'vm' | 'vcpu' | 'memory'> {
  readonly pins: HeldPins;
  readonly software: SoftwareModule | null;
  readonly kernel: string | undefined;
  readonly privateMemory: string;
}

/** Witness, devices and desks around a vCPU; `saved` brings the devices to where they were. */
function connect(options: MachineOptions, made: Made, saved?: RestoredMachine['saved']): MachineContext {
  const { order, regime, teller, control, nextSnapshot: next = () => undefined } = options;
  const { vm, vcpu, memory, pins } = made;
  const tracer = new Tracer(vcpu, control, new TraceBuffer(options.trace));
  const witness = new Witness({
    vcpu,
    memory,
    regime,
    teller,
    control,
    tracer,
    onLie: order.onLie ?? 'name',
    onProbation: options.onProbation,
  });
  const board = boardOf(options, vm, witness);
  const msrs = regime.tech === 'none' ? null : new ShapedMsrs();
  if (saved !== undefined) {
    restoreBoard(board, saved.devices);
    if (saved.isMigrationReady) msrs?.write(PARAVIRT.MSR_KVM_MIGRATION_CONTROL, 0, PARAVIRT.KVM_MIGRATION_READY);
  }
  const figures = () => machineFigures(memory.figures(), pins.registeredBytes);
  const { trouble } = pins;
  const snapshots = new SnapshotDesk({ ...made, order, board, witness, msrs, control, teller, next });
  const desk = new KickDesk({ vcpu, figures, control, teller, serial: board.serial, tracer, snapshots, trouble });
  return { vcpu, memory, board, witness, msrs, figures, tracer, onKick: () => desk.look() };
}

/** The type's pinning, and nothing else, decides. */
async function pin(options: MachineOptions, vm: Vm, memory: AnyGuestMemory, isRestored = false): Promise<HeldPins> {
  const { kvm, regime, teller, order } = options;
  const { name, execution, memoryBytes } = order;
  switch (regime.pinning) {
    case 'none':
      return NO_PINS;
    case 'on-fault':
      teller.event('pages are pinned as they are touched');
      return await pinWhatIsTouched(name, kvm, memory);
    case 'upfront': {
      teller.state('pinning', regime.type);
      const begin = nowMs();
      let told = 0;
      const onProgress = (bytes: number) => {
        const progress = bytes / memoryBytes;
        if (progress - told < 0.1 && progress < 1) return;
        told = progress;
        teller.event('pinning', progress);
      };
      const pins = await pinUpfront({ name, kvm, vm, memory, regime, execution, onProgress, isRestored });
      teller.say({ kind: 'pinned', milliseconds: nowMs() - begin });
      return pins;
    }
  }
}

function boardOf(options: MachineOptions, vm: Vm, witness: Witness): Board {
  const { order, consoleOut, consoleIn, wallClock = () => new Date() } = options;
  return buildBoard({
    line: (gsi) => ({ set: (level) => vm.irqLine(gsi, level) }),
    consoleOut,
    consoleIn,
    wallClock,
    reset: () => void witness.end({ reason: 'reboot' }),
    powerOff: () => void witness.end({ reason: 'power-off' }),
    doorbells: order.boot.kind === 'probe' ? probeDoorbells(witness) : [],
  });
}

function cpuidOf(kvm: Kvm, vm: Vm) {
  return guestCpuid(kvm.supportedCpuid(), {
    vcpuId: 0,
    tscDeadline: vm.checkExtension(KVM_CAP_TSC_DEADLINE_TIMER) > 0,
    emulatedHost: isEmulatedHost(hostCpuFacts()),
  });
}

function giveBack(cleanup: Cleanup): void {
  for (const release of cleanup.splice(0).reverse()) release();
}
