import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { layout } from '../src/index.ts';
import { asm, type Code } from './guest/bytes.ts';
import * as guest from './guest/machine.ts';

const { CODE, DATA, HANDLERS, Machine, STACK_TOP, USER_CODE, USER_STACK_TOP } = guest;

const machine = new Machine();
const { cpu } = machine;
const SYSTEM_CALL = HANDLERS + 0x40 * 16;
const STAR = (BigInt(guest.KERNEL_CS) << 32n) | (BigInt(guest.USER_CS32) << 48n);

function userWithSystemCalls(code: Code): void {
  machine.long(code, { cpl: 3 });
  cpu.set('star', STAR);
  cpu.set('lstar', BigInt(SYSTEM_CALL));
  cpu.set('cstar', BigInt(HANDLERS + 0x41 * 16));
  cpu.set('sfmask', 0x4_7700n);
}

function expectHandler(vector: number, code?: number): void {
  assert.equal(machine.run(), layout.EXIT_HLT);
  assert.equal(machine.handler(), vector);
  if (code !== undefined) assert.equal(machine.stack(1)[0], BigInt(code), 'error code');
}

describe('system calls', () => {
  test('SYSCALL enters the kernel: RCX, R11, flags masked, the stack untouched', () => {
    userWithSystemCalls(asm.syscall);
    expectHandler(0x40);
    assert.equal(cpu.get('rcx'), BigInt(USER_CODE + 2));
    assert.equal(cpu.get('r11'), 0x202n);
    assert.equal(cpu.get('rsp'), BigInt(USER_STACK_TOP));
    assert.equal(cpu.rflags, 2n);
    assert.equal(cpu.cpl, 0);
    assert.deepEqual([cpu.segment('cs').selector, cpu.segment('ss').selector], [8, 0x10]);
    assert.deepEqual([cpu.segment('cs').l, cpu.segment('ss').dpl], [1, 0]);
  });

  test('SYSRET goes back to the user with its flags', () => {
    userWithSystemCalls([...asm.syscall, ...asm.mov('rax', 3), ...asm.ud2]);
    machine.write(SYSTEM_CALL, asm.sysretq);
    expectHandler(6);
    assert.equal(cpu.get('rax'), 3n);
    const [rip, cs, flags, rsp, ss] = machine.stack(5);
    assert.deepEqual([rip, cs, rsp, ss], [BigInt(USER_CODE + 12), 0x2bn, BigInt(USER_STACK_TOP), 0x23n]);
    assert.equal(flags, 0x1_0202n);
  });

  test('without EFER.SCE both are #UD, and SYSRET is the kernel’s alone', () => {
    userWithSystemCalls(asm.syscall);
    cpu.set('efer', 0xd00n);
    expectHandler(6);
    userWithSystemCalls(asm.sysretq);
    expectHandler(13, 0);
  });

  test('SYSRET to compatibility code runs it as 32-bit code', () => {
    userWithSystemCalls([]);
    // mov eax, 1; inc eax (REX in 64-bit code); syscall
    machine.write(USER_CODE, [0xb8, 1, 0, 0, 0, 0x40, ...asm.syscall]);
    machine.write(SYSTEM_CALL, [0x0f, 0x07]);
    cpu.setSegment('cs', { ...cpu.segment('cs'), selector: 8, dpl: 0 });
    cpu.setSegment('ss', { ...cpu.segment('ss'), selector: 0x10, dpl: 0 });
    cpu.set('rip', BigInt(SYSTEM_CALL));
    cpu.set('rcx', BigInt(USER_CODE));
    cpu.set('r11', 0x202n);
    cpu.commit();
    expectHandler(0x41);
    assert.equal(cpu.get('rax'), 2n);
    assert.equal(cpu.get('rcx'), BigInt(USER_CODE + 8));
  });

  test('SWAPGS changes the base with KERNEL_GS_BASE', () => {
    machine.long([...asm.swapgs, ...asm.loadGs('rax'), ...asm.swapgs, ...asm.loadGs('rbx'), ...asm.hlt]);
    cpu.setSegment('gs', { ...cpu.segment('ds'), base: BigInt(DATA) });
    cpu.set('kernelGsBase', BigInt(DATA + 0x100));
    machine.write64(DATA, 1n);
    machine.write64(DATA + 0x100, 2n);
    machine.run();
    assert.deepEqual([cpu.get('rax'), cpu.get('rbx')], [2n, 1n]);
    machine.long(asm.swapgs, { cpl: 3 });
    expectHandler(13, 0);
  });
});

describe('what the user may not do', () => {
  const refused: Readonly<Record<string, Code>> = {
    hlt: asm.hlt,
    cli: asm.cli,
    sti: asm.sti,
    rdmsr: asm.rdmsr,
    wrmsr: asm.wrmsr,
    'mov to CR3': asm.toCr(3, 'rax'),
    'mov from CR0': asm.fromCr(0, 'rax'),
    'mov to CR8': asm.toCr(8, 'rax'),
    'mov from DR7': [0x0f, 0x21, 0xf8],
    clts: [0x0f, 0x06],
    lmsw: [0x0f, 0x01, 0xf0],
    invlpg: asm.invlpgRdi,
    wbinvd: [0x0f, 0x09],
    lgdt: asm.lgdtRdi,
    lidt: asm.lidtRdi,
    ltr: asm.ltrAx,
    lldt: [0x0f, 0x00, 0xd0],
    in: asm.inAl,
    out: asm.outAl,
    'rep insb': asm.repInsb,
  };
  for (const [name, code] of Object.entries(refused))
    test(`${name} is #GP`, () => {
      machine.long(code, { cpl: 3 });
      cpu.set('rcx', 1n);
      expectHandler(13, 0);
      assert.equal(machine.stack(2)[1], BigInt(USER_CODE));
    });

  test('POPF at CPL 3 changes neither IF nor IOPL', () => {
    machine.long(
      [...asm.mov('rax', 0x3cd7), ...asm.push('rax'), ...asm.popfq, ...asm.pushfq, ...asm.pop('rbx'), ...asm.int3],
      {
        cpl: 3,
      },
    );
    machine.gate(3, { dpl: 3 });
    expectHandler(3);
    assert.equal(cpu.get('rbx') & 0x3200n, 0x200n);
    assert.equal(cpu.get('rbx') & 0xcd5n, 0xcd5n);
  });

  test('ports are free at IOPL 3, and where the TSS has their bits clear', () => {
    machine.long([...asm.mov('rdx', 0x80), ...asm.inAl], { cpl: 3 });
    cpu.rflags = 0x3202n;
    assert.equal(machine.run(), layout.EXIT_IO);
    machine.long([...asm.mov('rdx', 0x80), ...asm.inAl, ...asm.mov('rdx', 0x81), ...asm.inAl], { cpl: 3 });
    // The map lies at 0x68; port 0x81 is closed.
    machine.write(guest.TSS + 102, [0x68, 0]);
    machine.write(guest.TSS + 0x68 + 0x10, [0x02, 0x00]);
    cpu.setSegment('tr', { ...cpu.segment('tr'), limit: 0x68 + 0x20 });
    assert.equal(machine.run(), layout.EXIT_IO);
    cpu.setWord(layout.COMPLETING, 1);
    expectHandler(13, 0);
  });
});

describe('control registers', () => {
  test('impossible values are #GP and change nothing', () => {
    for (const [cr, value] of [
      [0, 0x8000_0010n], // paging without protection
      [0, 0x2000_0011n], // NW without CD
      [0, 0x1_8000_0011n],
      [4, 0n], // PAE off in long mode
      [4, 0x1_0020n], // FSGSBASE isn't offered
      [3, 1n << 52n],
      [8, 16n],
    ] as const) {
      machine.long([...asm.mov('rax', value), ...asm.toCr(cr, 'rax')]);
      const before = cpu.get(`cr${cr}`);
      expectHandler(13, 0);
      assert.equal(cpu.get(`cr${cr}`), before);
    }
  });

  test('CR8 ends the run with its value, and reads back', () => {
    machine.long([...asm.mov('rax', 5), ...asm.toCr(8, 'rax'), ...asm.fromCr(8, 'rbx'), ...asm.hlt]);
    assert.equal(machine.run(), layout.EXIT_CR8);
    assert.equal(machine.arg(layout.EXIT_ARG0), 5);
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(cpu.get('rbx'), 5n);
  });

  test('CR5 doesn’t exist', () => {
    machine.long(asm.toCr(5, 'rax'));
    expectHandler(6);
  });

  test('DR6 and DR7 keep their fixed bits', () => {
    machine.long([0x31, 0xc0, 0x0f, 0x23, 0xf0, 0x0f, 0x23, 0xf8, 0x0f, 0x21, 0xf3, 0x0f, 0x21, 0xf9, 0xf4]);
    machine.run();
    assert.deepEqual([cpu.get('rbx'), cpu.get('rcx')], [0xffff_0ff0n, 0x400n]);
  });
});

describe('tables and selectors', () => {
  test('LGDT, LIDT, SIDT, LTR and STR', () => {
    machine.long([
      ...asm.mov('rdi', DATA),
      ...asm.lgdtRdi,
      ...asm.mov('rdi', DATA + 16),
      ...asm.lidtRdi,
      ...asm.mov('rdi', DATA + 32),
      ...asm.sidtRdi,
      ...asm.mov('rax', guest.TSS_SELECTOR),
      ...asm.ltrAx,
      ...asm.strEax,
      ...asm.hlt,
    ]);
    machine.write(DATA, [0x5f, 0]);
    machine.write64(DATA + 2, BigInt(guest.GDT));
    machine.write(DATA + 16, [0xff, 0x0f]);
    machine.write64(DATA + 18, BigInt(guest.IDT));
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(machine.handler(), -1);
    assert.deepEqual(cpu.table('gdt'), { base: BigInt(guest.GDT), limit: 0x5f });
    assert.deepEqual(machine.read(DATA + 32, 10), machine.read(DATA + 16, 10));
    assert.equal(cpu.get('rax'), BigInt(guest.TSS_SELECTOR));
    assert.equal(cpu.segment('tr').type, 11, 'busy');
    assert.equal(machine.read(guest.GDT + guest.TSS_SELECTOR + 5, 1)[0], 0x8b);
  });

  test('LTR of a busy TSS is #GP with its selector', () => {
    machine.long([...asm.mov('rax', guest.TSS_SELECTOR), ...asm.ltrAx]);
    machine.write(guest.GDT + guest.TSS_SELECTOR + 5, [0x8b]);
    expectHandler(13, guest.TSS_SELECTOR);
  });

  test('a data segment is loaded with its rights, and its descriptor marked', () => {
    machine.long([...asm.mov('rax', guest.USER_SS | 3), ...asm.movDsAx, ...asm.movEaxDs, ...asm.hlt]);
    machine.write(guest.GDT + guest.USER_SS + 5, [0xf2]);
    machine.run();
    assert.equal(cpu.get('rax'), 0x23n);
    assert.equal(cpu.segment('ds').dpl, 3);
    assert.equal(machine.read(guest.GDT + guest.USER_SS + 5, 1)[0], 0xf3);
  });

  test('selectors that may not be loaded', () => {
    for (const [selector, vector] of [
      [0x60, 13], // outside the table
      [guest.TSS_SELECTOR, 13],
      [guest.KERNEL_SS, 13], // more privileged
    ] as const) {
      machine.long([...asm.mov('rax', selector), ...asm.movDsAx], { cpl: 3 });
      expectHandler(vector, selector);
    }
    machine.long([...asm.mov('rax', guest.KERNEL_SS), ...asm.movDsAx]);
    machine.write(guest.GDT + guest.KERNEL_SS + 5, [0x13]);
    expectHandler(11, guest.KERNEL_SS);
    // The stack's must be exactly as privileged as the code.
    machine.long([...asm.mov('rax', guest.USER_SS | 3), ...asm.movSsAx]);
    expectHandler(13, guest.USER_SS);
    machine.long([...asm.mov('rax', guest.KERNEL_SS), ...asm.movSsAx]);
    machine.write(guest.GDT + guest.KERNEL_SS + 5, [0x13]);
    expectHandler(12, guest.KERNEL_SS);
  });

  test('null: allowed in DS, and in SS for the kernel only', () => {
    machine.long([...asm.mov('rax', 0), ...asm.movDsAx, ...asm.movSsAx, ...asm.push('rax'), ...asm.hlt]);
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(machine.handler(), -1);
    assert.equal(cpu.segment('ds').unusable, 1);
    machine.long([...asm.mov('rax', 3), ...asm.movSsAx], { cpl: 3 });
    expectHandler(13, 0);
  });

  test('LAR and LSL answer in ZF', () => {
    machine.long([...asm.mov('rcx', guest.USER_CS), ...asm.larEaxCx, 0x0f, 0x94, 0xc3, 0x0f, 0x03, 0xd1, ...asm.hlt]);
    machine.run();
    assert.equal(cpu.get('rax'), 0xa0fb00n);
    assert.equal(cpu.get('rbx') & 0xffn, 1n);
    assert.equal(cpu.get('rdx'), 0xffff_ffffn);
    machine.long([...asm.mov('rcx', 0x60), ...asm.larEaxCx, 0x0f, 0x94, 0xc3, ...asm.hlt]);
    machine.run();
    assert.equal(cpu.get('rbx') & 0xffn, 0n);
  });

  test('LRETQ goes to another code segment', () => {
    machine.long([
      ...asm.mov('rax', guest.KERNEL_CS),
      ...asm.push('rax'),
      ...asm.mov('rax', CODE + 0x100),
      ...asm.push('rax'),
      ...asm.lretq,
    ]);
    machine.write(CODE + 0x100, asm.hlt);
    machine.run();
    assert.equal(cpu.get('rip'), BigInt(CODE + 0x101));
    assert.equal(cpu.get('rsp'), BigInt(STACK_TOP));
  });
});
