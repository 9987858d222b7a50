import type { CpuidEntry, Regs } from '../../src/port/vcpu-state.ts';
import { asm16 } from '../guests/asm16.ts';
import { program } from '../guests/bytes.ts';
import { LONG_DATA, longModeGuest } from '../guests/long-mode.ts';
import { realModeGuest } from '../guests/real-mode.ts';
import { MSR } from '../numbers.ts';
import type { Rule } from '../rule.ts';

const EFER_LME = 0x100n;
const CR0_PG_PE = 0x8000_0001n;
const NON_CANONICAL = 0x8000_0000_0000_0000n;

export const registerRules: readonly Rule[] = [
  {
    id: 'registers/reset-state',
    says: 'A new vCPU is at the processor’s reset vector, with interrupts off, in real mode.',
    source: 'API document, KVM_CREATE_VCPU; the processors’ reset state',
    check: (ctx) => {
      const vcpu = ctx.vcpu(ctx.vm());
      const [regs, sregs] = [vcpu.getRegs(), vcpu.getSregs()];
      ctx.equal(regs.rip, 0xfff0n, 'RIP');
      ctx.equal(regs.rflags, 2n, 'RFLAGS');
      ctx.equal(sregs.cs.base, 0xffff_0000n, 'the base of CS');
      ctx.equal(sregs.cs.selector, 0xf000, 'the selector of CS');
      ctx.equal(sregs.cr0 & CR0_PG_PE, 0n, 'CR0.PG and CR0.PE');
      ctx.equal(sregs.efer, 0n, 'EFER');
    },
  },
  {
    id: 'registers/regs-round-trip',
    says: 'All general registers are set and read as 64 bits.',
    source: 'API document, KVM_SET_REGS and KVM_GET_REGS',
    check: (ctx) => {
      const vcpu = ctx.vcpu(ctx.vm());
      const regs = vcpu.getRegs();
      const names = Object.keys(regs).filter((name) => name !== 'rflags') as (keyof Regs)[];
      for (const [index, name] of names.entries()) regs[name] = 0x8877_6655_4433_2200n + BigInt(index);
      vcpu.setRegs(regs);
      const found = vcpu.getRegs();
      for (const name of names) ctx.equal(found[name], regs[name], name);
    },
  },
  {
    id: 'registers/rflags-bit-1-is-fixed',
    says: 'Bit 1 of RFLAGS is always set, whatever user space says.',
    source: 'kernel, arch/x86/kvm/x86.c; the architecture',
    check: (ctx) => {
      const vcpu = ctx.vcpu(ctx.vm());
      vcpu.setRegs({ ...vcpu.getRegs(), rflags: 0n });
      ctx.equal(vcpu.getRegs().rflags, 2n, 'RFLAGS');
    },
  },
  {
    id: 'registers/sregs-round-trip',
    says: 'Segment, table and control registers are set and read back.',
    source: 'API document, KVM_SET_SREGS and KVM_GET_SREGS',
    check: (ctx) => {
      const vcpu = ctx.vcpu(ctx.vm());
      const sregs = vcpu.getSregs();
      Object.assign(sregs.ds, { base: 0x1_2340n, selector: 0x1234 });
      sregs.gdt = { base: 0x5000n, limit: 0x7f };
      sregs.idt = { base: 0x6000n, limit: 0x3ff };
      sregs.cr2 = 0x1234_5678_9abcn;
      vcpu.setSregs(sregs);
      const found = vcpu.getSregs();
      ctx.equal(found.ds.base, 0x1_2340n, 'the base of DS');
      ctx.equal(found.ds.selector, 0x1234, 'the selector of DS');
      ctx.equal(found.gdt.base, 0x5000n, 'the base of the GDT');
      ctx.equal(found.gdt.limit, 0x7f, 'the limit of the GDT');
      ctx.equal(found.idt.base, 0x6000n, 'the base of the IDT');
      ctx.equal(found.cr2, 0x1234_5678_9abcn, 'CR2');
    },
  },
  {
    id: 'registers/reserved-cr4-bit-einval',
    says: 'A reserved bit of CR4 is refused with EINVAL.',
    source: 'API document, KVM_SET_SREGS; set_sregs_test',
    check: (ctx) => {
      const vcpu = ctx.vcpu(ctx.vm());
      const sregs = vcpu.getSregs();
      ctx.refuses('EINVAL', () => vcpu.setSregs({ ...sregs, cr4: sregs.cr4 | (1n << 60n) }));
    },
  },
  {
    id: 'registers/long-mode-without-pae-einval',
    says: 'Long mode with paging needs CR4.PAE and EFER.LMA: EINVAL without.',
    source: 'kernel, arch/x86/kvm/x86.c; set_sregs_test',
    since: '5.0',
    check: (ctx) => {
      const vcpu = ctx.vcpu(ctx.vm());
      const sregs = vcpu.getSregs();
      ctx.refuses('EINVAL', () => vcpu.setSregs({ ...sregs, cr0: sregs.cr0 | CR0_PG_PE, cr4: 0n, efer: EFER_LME }));
    },
  },
  {
    id: 'registers/wrong-apic-base-einval',
    says: 'An APIC base with reserved bits is refused with EINVAL.',
    source: 'set_sregs_test',
    check: (ctx) => {
      const vm = ctx.vm();
      vm.createIrqchip();
      const vcpu = ctx.vcpu(vm);
      const sregs = vcpu.getSregs();
      ctx.refuses('EINVAL', () => vcpu.setSregs({ ...sregs, apicBase: sregs.apicBase | (1n << 62n) }));
    },
  },
  {
    id: 'registers/translate-without-paging',
    says: 'Without paging a linear address is the physical one.',
    source: 'API document, KVM_TRANSLATE',
    check: (ctx) => {
      const { vcpu } = realModeGuest(ctx, program(asm16.hlt));
      const { valid, gpa } = vcpu.translate(0x2345);
      ctx.holds(valid, 'a valid address', valid);
      ctx.equal(gpa, 0x2345, 'the physical address');
    },
  },
  {
    id: 'registers/translate-with-paging',
    says: 'With paging KVM walks the guest’s page tables, and says where they lead nowhere.',
    source: 'API document, KVM_TRANSLATE',
    check: (ctx) => {
      const { vcpu } = longModeGuest(ctx, program(asm16.hlt));
      const mapped = vcpu.translate(LONG_DATA + 5);
      ctx.equal(mapped.gpa, LONG_DATA + 5, 'a mapped address');
      ctx.holds(mapped.valid, 'a valid address', mapped.valid);
      ctx.equal(vcpu.translate(2 ** 40).valid, false, 'validity of an address that is not mapped');
    },
  },
];

export const msrRules: readonly Rule[] = [
  {
    id: 'msrs/round-trip',
    says: 'MSRs are set and read, and the call says that all were.',
    source: 'API document, KVM_SET_MSRS and KVM_GET_MSRS',
    check: (ctx) => {
      const vcpu = ctx.vcpu(ctx.vm());
      vcpu.setCpuid(ctx.kvm.supportedCpuid());
      const entries = [
        { index: MSR.STAR, value: 0x1122_3344_5566_7788n },
        { index: MSR.KERNEL_GS_BASE, value: 0x7fff_1234_5678n },
      ];
      ctx.equal(vcpu.setMsrs(entries), 2, 'how many were set');
      const found = vcpu.getMsrs([MSR.STAR, MSR.KERNEL_GS_BASE]);
      ctx.equal(found.length, 2, 'how many were read');
      for (const [index, entry] of entries.entries())
        ctx.equal(found[index]?.value, entry.value, `MSR 0x${entry.index.toString(16)}`);
    },
  },
  {
    id: 'msrs/get-stops-at-first-unknown',
    says: 'Reading stops at the first MSR that KVM does not know, and says how many were read before it.',
    source: 'API document, KVM_GET_MSRS',
    check: (ctx) => {
      const vcpu = ctx.vcpu(ctx.vm());
      vcpu.setCpuid(ctx.kvm.supportedCpuid());
      ctx.equal(vcpu.getMsrs([MSR.NOBODYS, MSR.STAR]).length, 0, 'unknown first');
      const found = vcpu.getMsrs([MSR.STAR, MSR.LSTAR, MSR.NOBODYS, MSR.TSC]);
      ctx.equal(found.length, 2, 'unknown third');
      ctx.equal(found[1]?.index, MSR.LSTAR, 'the second that was read');
    },
  },
  {
    id: 'msrs/set-stops-at-first-unknown',
    says: 'Setting stops at the first MSR that KVM does not know; those before it are set, those behind are not.',
    source: 'API document, KVM_SET_MSRS',
    check: (ctx) => {
      const vcpu = ctx.vcpu(ctx.vm());
      vcpu.setCpuid(ctx.kvm.supportedCpuid());
      const count = vcpu.setMsrs([
        { index: MSR.STAR, value: 1n },
        // A value other than 0: KVM lets user space write 0 to some MSRs that it does not know.
        { index: MSR.NOBODYS, value: 1n },
        { index: MSR.LSTAR, value: 3n },
      ]);
      ctx.equal(count, 1, 'how many were set');
      const found = vcpu.getMsrs([MSR.STAR, MSR.LSTAR]);
      ctx.equal(found[0]?.value, 1n, 'the one before');
      ctx.equal(found[1]?.value, 0n, 'the one behind');
    },
  },
  {
    id: 'msrs/non-canonical-address-is-refused',
    says: 'An MSR that holds an address refuses one that is not canonical.',
    source: 'API document, KVM_SET_MSRS; the architecture',
    check: (ctx) => {
      const vcpu = ctx.vcpu(ctx.vm());
      vcpu.setCpuid(ctx.kvm.supportedCpuid());
      ctx.equal(vcpu.setMsrs([{ index: MSR.LSTAR, value: NON_CANONICAL }]), 0, 'how many were set');
    },
  },
  {
    id: 'msrs/segment-base-is-the-segments',
    says: 'The FS base MSR and the base of FS are one register.',
    source: 'the architecture',
    check: (ctx) => {
      const vcpu = ctx.vcpu(ctx.vm());
      vcpu.setCpuid(ctx.kvm.supportedCpuid());
      vcpu.setMsrs([{ index: MSR.FS_BASE, value: 0x7fff_0000_1000n }]);
      ctx.equal(vcpu.getSregs().fs.base, 0x7fff_0000_1000n, 'the base of FS');
    },
  },
  {
    id: 'msrs/efer-is-that-of-sregs',
    says: 'EFER is the same through KVM_GET_MSRS and KVM_GET_SREGS.',
    source: 'API document, KVM_GET_SREGS',
    check: (ctx) => {
      const { vcpu } = longModeGuest(ctx, program(asm16.hlt));
      ctx.equal(vcpu.getMsrs([MSR.EFER])[0]?.value, vcpu.getSregs().efer, 'EFER');
    },
  },
  {
    id: 'msrs/tsc-goes-on',
    says: 'The time-stamp counter is set, and does not go back.',
    source: 'API document, KVM_SET_MSRS',
    check: (ctx) => {
      const vcpu = ctx.vcpu(ctx.vm());
      vcpu.setCpuid(ctx.kvm.supportedCpuid());
      const first = vcpu.getMsrs([MSR.TSC])[0]?.value ?? 0n;
      const second = vcpu.getMsrs([MSR.TSC])[0]?.value ?? 0n;
      ctx.holds(second >= first, 'the second reading is not before the first', second - first);
    },
  },
];

const name = ({ function: leaf, index }: CpuidEntry): string => `${leaf.toString(16)}/${index}`;

export const cpuidRules: readonly Rule[] = [
  {
    id: 'cpuid/round-trip',
    says: 'The leaves that were set are the leaves that are read, in their order.',
    source: 'API document, KVM_SET_CPUID2 and KVM_GET_CPUID2',
    check: (ctx) => {
      const vcpu = ctx.vcpu(ctx.vm());
      const leaves = ctx.kvm.supportedCpuid();
      vcpu.setCpuid(leaves);
      const found = vcpu.getCpuid();
      ctx.equal(found.map(name).join(' '), leaves.map(name).join(' '), 'the leaves');
    },
  },
  {
    id: 'cpuid/guest-sees-what-was-set',
    says: 'The guest’s CPUID instruction answers what user space set.',
    source: 'API document, KVM_SET_CPUID2',
    check: (ctx) => {
      const own = { function: 0x4000_0100, index: 0, flags: 0, eax: 0x1234_5678, ebx: 2, ecx: 3, edx: 4 };
      const code = program(asm16.movEax(own.function), asm16.movEcx(0), asm16.cpuid, asm16.hlt);
      const { vcpu } = realModeGuest(ctx, code);
      vcpu.setCpuid([...ctx.kvm.supportedCpuid(), own]);
      ctx.runTo(vcpu, 'hlt');
      const regs = vcpu.getRegs();
      ctx.equal(regs.rax, 0x1234_5678n, 'EAX');
      ctx.equal(`${regs.rbx} ${regs.rcx} ${regs.rdx}`, '2 3 4', 'EBX, ECX, EDX');
    },
  },
  {
    id: 'cpuid/change-before-run-ok',
    says: 'Before the first run the leaves may be set again, and others.',
    source: 'API document, KVM_SET_CPUID2',
    check: (ctx) => {
      const vcpu = ctx.vcpu(ctx.vm());
      const leaves = ctx.kvm.supportedCpuid();
      vcpu.setCpuid(leaves);
      ctx.accepts(() => vcpu.setCpuid(leaves.slice(0, -1)));
    },
  },
  {
    id: 'cpuid/change-after-run-einval',
    says: 'After the first run the leaves may only be set to what they are: EINVAL otherwise.',
    source: 'API document, KVM_SET_CPUID2: not after KVM_RUN',
    since: '5.17',
    check: (ctx) => {
      const { vcpu } = realModeGuest(ctx, program(asm16.hlt));
      ctx.runTo(vcpu, 'hlt');
      const leaves = ctx.kvm.supportedCpuid();
      ctx.accepts(() => vcpu.setCpuid(vcpu.getCpuid()), 'the same leaves');
      ctx.refuses('EINVAL', () => vcpu.setCpuid(leaves.slice(0, -1)), 'one leaf less');
    },
  },
];
