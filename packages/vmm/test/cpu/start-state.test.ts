import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { MsrEntry, Regs, Sregs, Vcpu } from '@unpin/kvm';
import { entryRegs, entrySregs } from '../../src/boot/index.ts';
import { isEmulatedHost, isParked, prepareVcpu, START_MSRS, startFpu, withVirtualWire } from '../../src/cpu/index.ts';

const entry = { rip: 0x100_0000, rsi: 0x7000, rsp: 0, cr3: 0x80_0000_9000n, gdt: { gpa: 0x6000, limit: 47 } };
const segment = {
  base: 0n,
  limit: 0,
  selector: 0,
  type: 0,
  present: 0,
  dpl: 0,
  db: 0,
  s: 0,
  l: 0,
  g: 0,
  avl: 0,
  unusable: 0,
};
const reset: Sregs = {
  cs: segment,
  ds: segment,
  es: segment,
  fs: segment,
  gs: segment,
  ss: segment,
  tr: segment,
  ldt: segment,
  gdt: { base: 0n, limit: 0 },
  idt: { base: 0n, limit: 0xffff },
  cr0: 0x6000_0010n,
  cr2: 0n,
  cr3: 0n,
  cr4: 0n,
  cr8: 5n,
  efer: 0n,
  apicBase: 0xfee0_0900n,
  interruptBitmap: [0n, 0n, 0n, 0n],
};

describe('the entry of a guest', () => {
  test('is 64-bit mode with paging, interrupts off, and boot_params in RSI', () => {
    const regs = entryRegs(entry);
    assert.deepEqual([regs.rip, regs.rsi, regs.rflags, regs.rbx, regs.rsp], [0x100_0000n, 0x7000n, 2n, 0n, 0n]);
    const sregs = entrySregs(entry, reset);
    assert.equal(sregs.cr0 & 0x8001_0001n, 0x8001_0001n, 'PG, WP, PE');
    assert.equal(sregs.cr4 & 0x20n, 0x20n, 'PAE');
    assert.equal(sregs.efer & 0x500n, 0x500n, 'LME, LMA');
    assert.equal(sregs.cr3, 0x80_0000_9000n, 'with its C bit');
    assert.deepEqual([sregs.cs.selector, sregs.cs.l, sregs.cs.db, sregs.cs.type], [0x10, 1, 0, 0xb]);
    assert.deepEqual([sregs.ds.selector, sregs.ss.selector, sregs.ds.type], [0x18, 0x18, 3]);
    assert.deepEqual(sregs.gdt, { base: 0x6000n, limit: 47 });
    assert.deepEqual([sregs.apicBase, sregs.cr8], [reset.apicBase, reset.cr8], 'what it does not name stays');
  });

  test('has the PC’s virtual wires, an FPU after FNINIT, and MTRRs that make memory write-back', () => {
    const lapic = new Uint8Array(1024).fill(0xff);
    const view = new DataView(withVirtualWire(lapic).buffer);
    assert.equal((view.getUint32(0x350, true) >> 8) & 7, 7, 'LINT0 ExtINT');
    assert.equal((view.getUint32(0x360, true) >> 8) & 7, 4, 'LINT1 NMI');
    assert.equal(view.getUint32(0x350, true) & 0x1_0000, 0, 'not masked');
    assert.equal(view.getUint32(0x340, true), 0xffff_ffff, 'the rest as it was');
    assert.ok(
      lapic.every((byte) => byte === 0xff),
      'the original is untouched',
    );
    const fpu = new DataView(startFpu().buffer);
    assert.deepEqual([fpu.byteLength, fpu.getUint16(128, true), fpu.getUint32(408, true)], [416, 0x37f, 0x1f80]);
    assert.deepEqual(START_MSRS.find((msr) => msr.index === 0x2ff)?.value, 0xc06n);
  });

  test('is set with CPUID first, and a refused MSR is named', () => {
    const calls: string[] = [];
    let accepted = START_MSRS.length;
    const vcpu = {
      setCpuid: () => calls.push('cpuid'),
      setMsrs: (msrs: readonly MsrEntry[]) => Math.min(accepted, msrs.length),
      getSregs: () => reset,
      setSregs: () => calls.push('sregs'),
      setRegs: () => calls.push('regs'),
      setFpu: () => calls.push('fpu'),
      getLapic: () => new Uint8Array(1024),
      setLapic: () => calls.push('lapic'),
    } as unknown as Vcpu;
    prepareVcpu(vcpu, [], entry);
    assert.deepEqual(calls, ['cpuid', 'sregs', 'regs', 'fpu', 'lapic']);
    accepted = 0;
    assert.throws(() => prepareVcpu(vcpu, [], entry), /MSR 0x2ff/);
  });
});

/** General registers with these flags. */
const at = (rflags: bigint): Regs => ({ ...entryRegs(entry), rflags });

describe('a parked vCPU', () => {
  test('is halted with interrupts off', () => {
    assert.equal(isParked(at(0x46n), 3), true);
    assert.equal(isParked(at(0x246n), 3), false, 'an interrupt can wake it');
    assert.equal(isParked(at(0x46n), 0), false, 'it runs');
  });
});

describe('an emulated host', () => {
  const qemu = {
    cpuinfo: 'model name\t: AMD EPYC-Milan Processor\nflags\t\t: fpu svm hypervisor npt\n',
    systemVendor: 'QEMU\n',
    clockSources: 'tsc hpet acpi_pm\n',
  };
  test('is a QEMU machine without any hypervisor’s clock', () => {
    assert.equal(isEmulatedHost(qemu), true);
    assert.equal(isEmulatedHost({ ...qemu, clockSources: 'kvm-clock tsc acpi_pm\n' }), false, 'QEMU with KVM');
    assert.equal(isEmulatedHost({ ...qemu, systemVendor: 'Dell Inc.\n' }), false);
    assert.equal(isEmulatedHost({ ...qemu, cpuinfo: 'flags\t\t: fpu svm npt\n' }), false, 'no hypervisor at all');
    assert.equal(isEmulatedHost({ cpuinfo: '', systemVendor: '', clockSources: '' }), false);
  });
});
