import type { HostMemory } from '../../src/port/host-memory.ts';
import type { Vcpu } from '../../src/port/vcpu.ts';
import type { Vm } from '../../src/port/vm.ts';
import type { RuleContext } from '../rule-context.ts';

/** Guest-physical map of a real-mode guest: one slot of RAM, interrupt vectors at 0. */
export const REAL_RAM_BYTES = 0x1_0000;
export const REAL_CODE = 0x1000;
export const REAL_DATA = 0x2000;
export const REAL_STACK_TOP = 0xf000;
/** Where `handler` puts its first interrupt handler; each has 256 bytes. */
const REAL_HANDLERS = 0x4000;
const HANDLER_BYTES = 0x100;
/** Below 4 GiB, where no rule has memory: KVM on VMX keeps its real-mode helper there. */
const TSS_GPA = 0xfffb_d000;

export interface RealModeOptions {
  /** A VM that was prepared (irqchip, capabilities); else a default one is created. */
  readonly vm?: Vm;
  /** Base address of DS, so that 16-bit offsets reach it. Default 0: RAM. */
  readonly dsBase?: number;
  /** Interrupt vector → handler code. */
  readonly handlers?: Readonly<Record<number, Uint8Array>>;
}

export interface RealModeGuest {
  readonly vm: Vm;
  readonly vcpu: Vcpu;
  /** The guest's RAM, at GPA 0. */
  readonly memory: HostMemory;
}

/** A vCPU in real mode at the first byte of `code`: CS, SS and ES based at 0, interrupts off, a stack. */
export function realModeGuest(ctx: RuleContext, code: Uint8Array, options: RealModeOptions = {}): RealModeGuest {
  const vm = options.vm ?? ctx.vm();
  vm.setTssAddress(TSS_GPA);
  const memory = ctx.memory(REAL_RAM_BYTES);
  memory.write(REAL_CODE, code);
  installHandlers(memory, options.handlers ?? {});
  ctx.slot(vm, 0, 0, memory);
  const vcpu = ctx.vcpu(vm);
  vcpu.setCpuid(ctx.kvm.supportedCpuid());
  enterRealMode(vcpu, options.dsBase ?? 0);
  return { vm, vcpu, memory };
}

/** Puts a vCPU that was just created at REAL_CODE. */
export function enterRealMode(vcpu: Vcpu, dsBase: number): void {
  const sregs = vcpu.getSregs();
  for (const name of ['cs', 'ss', 'es'] as const) Object.assign(sregs[name], { base: 0n, selector: 0 });
  Object.assign(sregs.ds, { base: BigInt(dsBase), selector: (dsBase >>> 4) & 0xffff });
  vcpu.setSregs(sregs);
  vcpu.setRegs({ ...vcpu.getRegs(), rip: BigInt(REAL_CODE), rsp: BigInt(REAL_STACK_TOP), rflags: 2n });
}

function installHandlers(memory: HostMemory, handlers: Readonly<Record<number, Uint8Array>>): void {
  let at = REAL_HANDLERS;
  for (const [vector, code] of Object.entries(handlers)) {
    if (code.length > HANDLER_BYTES) throw new RangeError(`handler ${vector} is longer than ${HANDLER_BYTES} bytes`);
    memory.write(at, code);
    // An interrupt vector: offset, then segment, 16 bits each.
    memory.write(Number(vector) * 4, Uint8Array.of(at & 0xff, at >> 8, 0, 0));
    at += HANDLER_BYTES;
  }
}
