import { parentPort } from 'node:worker_threads';
import type { KickTarget, Kvm, Regs, Vcpu, Vm } from '@unpin/kvm';
import { CAPS, PARAVIRT, VM_TYPES } from '@unpin/kvm/uapi';
import { nowMs } from '../clock.ts';
import { openMachineKvm } from '../machine/kvm-backend.ts';
import {
  COUNT_ENTRY,
  INSTRUCTIONS_A_TURN,
  TRIAL_BASE,
  TRIAL_RAM,
  trialCode,
  VMCALL_ENTRY,
  VMMCALL_ENTRY,
} from './trial-guest.ts';

/** `running`: the vCPU is about to run and must be kicked by the main thread. */
export type TrialMessage =
  | { readonly kind: 'running'; readonly target: KickTarget }
  | { readonly kind: 'done'; readonly ringZeroMips: number; readonly hypercallsExit: boolean };

/** The page after the code; a whole page of RAM. */
const CONVERTED = 0x3000n;

const port = parentPort;
if (port !== null) {
  const kvm = await openMachineKvm();
  const guest = createTrial(kvm);
  const announce = () => port.postMessage({ kind: 'running', target: guest.vcpu.kickTarget() } satisfies TrialMessage);
  announce();
  const ringZeroMips = count(guest.vcpu);
  announce();
  const hypercallsExit = call(guest.vcpu, kvm.info.engine === 'vmx' ? VMCALL_ENTRY : VMMCALL_ENTRY);
  guest.close();
  kvm.close();
  port.postMessage({ kind: 'done', ringZeroMips, hypercallsExit } satisfies TrialMessage);
}

function createTrial(kvm: Kvm): { readonly vcpu: Vcpu; readonly close: () => void } {
  const vm: Vm = kvm.createVm(VM_TYPES.KVM_X86_DEFAULT_VM);
  const memory = kvm.allocate(TRIAL_RAM);
  const mask = 1 << PARAVIRT.KVM_HC_MAP_GPA_RANGE;
  if ((vm.checkExtension(CAPS.KVM_CAP_EXIT_HYPERCALL) & mask) !== 0) vm.enableCap(CAPS.KVM_CAP_EXIT_HYPERCALL, [mask]);
  vm.setUserMemoryRegion({ slot: 0, flags: 0, gpa: 0, size: TRIAL_RAM, hva: memory.hva });
  memory.write(TRIAL_BASE, trialCode());
  const vcpu = vm.createVcpu(0);
  vcpu.setCpuid(kvm.supportedCpuid());
  const sregs = vcpu.getSregs();
  for (const segment of [sregs.cs, sregs.ds, sregs.es, sregs.ss]) {
    segment.base = 0n;
    segment.selector = 0;
  }
  vcpu.setSregs(sregs);
  return {
    vcpu,
    close: () => {
      vcpu.close();
      vm.close();
      memory.close();
    },
  };
}

/** Millions of instructions a second, until the main thread kicks. */
function count(vcpu: Vcpu): number {
  vcpu.setRegs(registers(COUNT_ENTRY));
  const begin = nowMs();
  const exit = vcpu.run();
  const milliseconds = nowMs() - begin;
  if (exit.kind !== 'intr') return 0;
  const turns = Number(vcpu.getRegs().rax);
  return (turns * INSTRUCTIONS_A_TURN) / milliseconds / 1000;
}

/** Whether a hypercall reaches user space; a KVM that keeps it, or spins on it, is kicked out. */
function call(vcpu: Vcpu, entry: number): boolean {
  const rax = BigInt(PARAVIRT.KVM_HC_MAP_GPA_RANGE);
  vcpu.setRegs({ ...registers(entry), rax, rbx: CONVERTED, rcx: 1n, rdx: 0n });
  return vcpu.run().kind === 'hypercall';
}

function registers(entry: number): Regs {
  const zero = { rax: 0n, rbx: 0n, rcx: 0n, rdx: 0n, rsi: 0n, rdi: 0n, rbp: 0n, rsp: 0n };
  const upper = { r8: 0n, r9: 0n, r10: 0n, r11: 0n, r12: 0n, r13: 0n, r14: 0n, r15: 0n };
  return { ...zero, ...upper, rip: BigInt(entry), rflags: 2n };
}
