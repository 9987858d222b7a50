/** A vCPU's thread: opens VM and vCPU by their handles, enters real mode, does the steps, posts what came of them. */
import { writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { openLinuxKvm } from '../../src/linux/index.ts';
import type { VcpuExit } from '../../src/port/exit.ts';
import type { GuestJob, GuestMessage, Outcome, Step } from './guest-steps.ts';

const { vm: vmHandle, vcpu: vcpuHandle, rip, steps } = workerData as GuestJob;
const post = (message: GuestMessage): void => parentPort?.postMessage(message);

const kvm = openLinuxKvm();
const vcpu = kvm.openVm(vmHandle).openVcpu(vcpuHandle);
const sregs = vcpu.getSregs();
for (const name of ['cs', 'ds', 'es', 'ss'] as const) Object.assign(sregs[name], { base: 0n, selector: 0 });
vcpu.setSregs(sregs);
vcpu.setRegs({ ...vcpu.getRegs(), rip: BigInt(rip), rsp: 0xf000n, rflags: 2n });
const target = vcpu.kickTarget();
post({ target });
post({ outcomes: steps.map(perform) });
vcpu.close();
kvm.close();

function perform(step: Step): Outcome {
  switch (step.do) {
    case 'run': {
      const exit = vcpu.run();
      const outcome = describe(exit);
      reply(exit, step);
      return outcome;
    }
    case 'complete':
      vcpu.completeExit();
      return { kind: 'completed' };
    case 'kick': {
      const kicker = kvm.openKicker(target);
      for (let count = 0; count < step.times; count++) kicker.kick();
      return { kind: 'kicked' };
    }
    case 'signal':
      writeSync(step.fd, new Uint8Array(BigUint64Array.of(1n).buffer));
      return { kind: 'signalled' };
    case 'regs': {
      const { rax, rdx } = vcpu.getRegs();
      return { kind: 'regs', eax: Number(rax & 0xffff_ffffn), edx: Number(rdx & 0xffff_ffffn) };
    }
  }
}

function describe(exit: VcpuExit): Outcome {
  // What lies in `data` before a read is answered means nothing.
  const isRead = (exit.kind === 'io' && exit.direction === 'in') || (exit.kind === 'mmio' && !exit.isWrite);
  const fields = Object.entries(exit).filter(([name]) => !(isRead && name === 'data'));
  return Object.fromEntries(
    fields.map(([name, value]) => [name, value instanceof Uint8Array ? [...value] : (value as unknown)]),
  ) as Outcome;
}

function reply(exit: VcpuExit, { data, msr }: Extract<Step, { do: 'run' }>): void {
  if (data !== undefined && (exit.kind === 'io' || exit.kind === 'mmio')) exit.data.set(data);
  if (exit.kind === 'rdmsr' && msr !== undefined)
    if (msr === 'refuse') exit.refuse();
    else exit.complete(...msr);
  if (exit.kind === 'wrmsr' && msr !== undefined)
    if (msr === 'refuse') exit.refuse();
    else exit.complete();
}
