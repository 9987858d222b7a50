import { createHash, type Hash } from 'node:crypto';
import type { LaunchOrder } from '@unpin/contract';
import { openSoftwareKvm, type SoftwareKvm, SoftwareVcpu, SoftwareVm } from '@unpin/kvm/software';
import { regimeOf, vmType } from '@unpin/policy';
import type { ReadBootSet } from '../machine/boot-set.ts';
import { ControlBlock } from '../machine/control-block.ts';
import { Machine } from '../machine/machine.ts';
import type { ConversionRecord } from '../machine/messages.ts';
import { TraceBuffer } from '../trace/trace-buffer.ts';
import { SubjectConsole } from './subject-console.ts';
import type { SubjectOptions } from './subject-messages.ts';
import { SubjectTeller } from './subject-teller.ts';
import { UndefinedPages } from './undefined-pages.ts';

/** The guest's wall clock at its start. */
const EPOCH_MS = Date.UTC(2025, 0, 1);

/** What a subject is made of. */
export interface SubjectParts {
  readonly machine: Machine;
  readonly vm: SoftwareVm;
  readonly vcpu: SoftwareVcpu;
  readonly console: SubjectConsole;
  readonly control: ControlBlock;
  readonly teller: SubjectTeller;
  /** Of what the guest does, as it does it; reports are in it already. */
  readonly hash: Hash;
  readonly close: () => void;
}

/** The order that a subject is launched by: names its type. */
export function orderOf({ type, boot, memoryBytes }: SubjectOptions): LaunchOrder {
  return { contract: 1, name: type, type, regime: regimeOf(vmType(type)), execution: 'emulated', memoryBytes, boot };
}

/**
 * A machine in which nothing happens by chance, in front of its first instruction.
 * @throws UnpinError, KvmError, BootError: what a launch may be refused for
 */
export async function launchSubject(options: SubjectOptions, bootSet: ReadBootSet): Promise<SubjectParts> {
  const kvm = openSoftwareKvm({
    clock: { seed: options.seed, epoch: EPOCH_MS * 1e6 },
    // Pinned or not, a page that nobody has written shows the same: its frame has the same address.
    guestMemfdsAtOnce: true,
    memlockLimit: () => Number.POSITIVE_INFINITY,
  });
  try {
    return await launchOn(kvm, options, bootSet);
  } catch (cause) {
    kvm.close();
    throw cause;
  }
}

async function launchOn(kvm: SoftwareKvm, options: SubjectOptions, bootSet: ReadBootSet): Promise<SubjectParts> {
  const order = orderOf(options);
  const console = new SubjectConsole();
  const control = new ControlBlock();
  const hash = createHash('sha256');
  const made: { vm?: SoftwareVm; pages?: UndefinedPages } = {};
  const teller = new SubjectTeller(control, (entry) => {
    hash.update(textOf(entry));
    made.pages?.converted(entry);
  });
  const machine = await Machine.launch({
    kvm,
    order,
    regime: order.regime,
    onProbation: false,
    // It may be needed again.
    bootSet: { ...bootSet, forget: () => {} },
    teller,
    control,
    consoleOut: console.out.buffer,
    consoleIn: console.input.buffer,
    trace: TraceBuffer.create(1).buffer,
    wallClock: () => new Date(EPOCH_MS + Number(made.vm?.getClock() ?? 0n) / 1e6),
    // Both are told the same, or they would not execute the same.
    wantsReports: true,
  });
  const { vm, vcpu } = machine;
  if (!(vm instanceof SoftwareVm) || !(vcpu instanceof SoftwareVcpu)) throw new TypeError('not the software KVM');
  made.vm = vm;
  made.pages = new UndefinedPages(vm);
  const close = () => {
    machine.close();
    kvm.close();
  };
  return { machine, vm, vcpu, console, control, teller, hash, close };
}

function textOf({ gpa, bytes, to, rip, ret }: ConversionRecord): string {
  return `convert ${gpa} ${bytes} ${to} ${rip} ${ret}\n`;
}
