import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { layout, type Segment } from '../src/index.ts';
import { bytes, type Code } from './guest/bytes.ts';
import * as guest from './guest/machine.ts';

const { DATA, GDT, IDT, Machine, P, PS, TSS, U, W } = guest;

const machine = new Machine();
const { cpu } = machine;

/** Where 16- and 32-bit code lies, and its stack. */
const LOW_CODE = 0x8000;
const LOW_STACK = 0x7000;

/** Real mode at 0000:LOW_CODE with a stack; the vector table is at 0. */
function real(code: Code): void {
  machine.reset();
  machine.write(LOW_CODE, code);
  cpu.setSegment('cs', { ...cpu.segment('cs'), base: 0n, selector: 0 });
  cpu.set('rip', BigInt(LOW_CODE));
  cpu.set('rsp', BigInt(LOW_STACK));
  cpu.commit();
}

const flat: Segment = {
  base: 0n,
  limit: 0xffff_ffff,
  selector: guest.CODE32,
  type: 11,
  present: 1,
  dpl: 0,
  db: 1,
  s: 1,
  l: 0,
  g: 1,
  avl: 0,
  unusable: 0,
};

/** Flat 32-bit protected mode at LOW_CODE, no paging. Gates are 8 bytes, handlers halt. */
function protectedMode(code: Code, options: { cpl?: 0 | 3 } = {}): void {
  const dpl = options.cpl ?? 0;
  // The tables of the long-mode guest serve here too.
  machine.long([]);
  machine.engine.cpu.reset();
  machine.write(LOW_CODE, code);
  cpu.setTable('gdt', { base: BigInt(GDT), limit: 0x5f });
  cpu.setTable('idt', { base: BigInt(IDT), limit: 0x7ff });
  for (let vector = 0; vector < 256; vector++) gate32(vector);
  // A 32-bit TSS: ESP0 and SS0.
  machine.write(TSS + 4, [...bytes(guest.KERNEL_STACK_TOP, 4), ...bytes(guest.DATA32, 4)]);
  cpu.set('cr0', 0x11n);
  cpu.setSegment('cs', { ...flat, selector: dpl === 0 ? guest.CODE32 : guest.USER_CS32 | 3, dpl });
  for (const name of ['ss', 'ds', 'es', 'fs', 'gs'] as const)
    cpu.setSegment(name, { ...flat, selector: dpl === 0 ? guest.DATA32 : guest.USER_SS | 3, type: 3, dpl });
  cpu.setSegment('tr', {
    ...flat,
    selector: guest.TSS_SELECTOR,
    base: BigInt(TSS),
    limit: 0x67,
    type: 11,
    s: 0,
    g: 0,
    db: 0,
  });
  cpu.set('rip', BigInt(LOW_CODE));
  cpu.set('rsp', BigInt(LOW_STACK));
  cpu.commit();
}

function gate32(vector: number, dpl = 0, type = 0xe): void {
  const handler = guest.HANDLERS + vector * 16;
  const high = [0, 0x80 | (dpl << 5) | type, ...bytes(handler >> 16, 2)];
  machine.write(IDT + vector * 8, [...bytes(handler, 2), ...bytes(guest.CODE32, 2), ...high]);
}

function words(size: 2 | 4, count: number): number[] {
  const top = Number(cpu.get('rsp'));
  return Array.from({ length: count }, (_, index) =>
    machine.read(top + index * size, size).reduceRight((value, byte) => value * 256 + byte, 0),
  );
}

describe('real mode', () => {
  test('RESET begins at the last 16 bytes below 4 GiB', () => {
    machine.reset();
    assert.equal(machine.run(), layout.EXIT_MMIO);
    assert.equal(machine.arg(layout.EXIT_ARG0), 0xffff_fff0);
  });

  test('INT n goes through the vector table; IRET comes back with the flags', () => {
    // sti; int 0x21; hlt
    real([0xfb, 0xcd, 0x21, 0xf4]);
    machine.write(0x21 * 4, [0x00, 0x01, 0x90, 0x00]); // 0090:0100
    machine.write(0xa00, [0xf4, 0xcf]);
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(cpu.segment('cs').base, 0x900n);
    assert.equal(cpu.get('rip'), 0x101n);
    assert.deepEqual(words(2, 3), [LOW_CODE + 3, 0, 0x202]);
    assert.ok(!cpu.interruptible);
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(cpu.get('rip'), BigInt(LOW_CODE + 4));
    assert.ok(cpu.interruptible);
  });

  test('an exception pushes no code; an interrupt from outside is taken', () => {
    real([0x0f, 0x0b]);
    machine.write(6 * 4, [0x00, 0x0a, 0, 0]);
    machine.write(0xa00, [0xf4]);
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.deepEqual(words(2, 2), [LOW_CODE, 0]);
    real([0xfb, 0xeb, 0xfe]);
    machine.write(0x30 * 4, [0x00, 0x0a, 0, 0]);
    machine.write(0xa00, [0xf4]);
    machine.run(10);
    assert.equal(machine.engine.deliverInterrupt(0x30), 0);
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(cpu.get('rip'), 0xa01n);
  });

  test('a stack of 16 bits wraps, and the rest of RSP stays', () => {
    real([0xcd, 0x21]);
    machine.write(0x21 * 4, [0x00, 0x0a, 0, 0]);
    machine.write(0xa00, [0xf4]);
    cpu.setSegment('ss', { ...cpu.segment('ss'), base: 0x3_0000n, selector: 0x3000 });
    cpu.set('rsp', 0x5_0002n);
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(cpu.get('rsp'), 0x5_fffcn);
    assert.deepEqual(machine.read(0x3_0000, 2), [0x02, 0x00]);
    assert.deepEqual(machine.read(0x3_fffc, 4), [0x02, 0x80, 0x00, 0x00]);
  });

  test('segments are 16 times their selector', () => {
    // mov ax, 0x4000; mov ds, ax; mov [0x10], ax; mov ax, ds; hlt
    real([0xb8, 0x00, 0x40, 0x8e, 0xd8, 0xa3, 0x10, 0x00, 0x8c, 0xd8, 0xf4]);
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.deepEqual(machine.read(0x4_0010, 2), [0x00, 0x40]);
    assert.equal(cpu.segment('ds').base, 0x4_0000n);
  });

  test('an offset beyond the segment is #GP, or #SS of the stack’s; a larger limit, once loaded, stays', () => {
    // mov eax, [dword 0x10000]; hlt, and with an SS prefix
    const far = [0x66, 0x67, 0xa1, ...bytes(0x1_0000, 4), 0xf4];
    for (const [code, vector] of [
      [far, 13],
      [[0x36, ...far], 12],
    ] as const) {
      real(code);
      machine.write(vector * 4, [0x00, 0x0a, 0, 0]);
      machine.write(0xa00, [0xf4]);
      assert.equal(machine.run(), layout.EXIT_HLT);
      assert.equal(cpu.get('rip'), 0xa01n);
      assert.deepEqual(words(2, 1), [LOW_CODE]);
    }
    real(far);
    cpu.setSegment('ds', { ...cpu.segment('ds'), limit: 0xffff_ffff });
    machine.write(0x1_0000, bytes(0x1234_5678, 4));
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(cpu.get('rax'), 0x1234_5678n);
  });

  test('far jumps, calls and returns', () => {
    // call 0800:0100; hlt
    real([0x9a, 0x00, 0x01, 0x00, 0x08, 0xf4]);
    machine.write(0x8100, [0xcb]); // retf
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(cpu.get('rip'), BigInt(LOW_CODE + 6));
    assert.equal(cpu.get('rsp'), BigInt(LOW_STACK));
    // jmp 0900:0005
    real([0xea, 0x05, 0x00, 0x00, 0x09]);
    machine.write(0x9005, [0xf4]);
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.deepEqual([cpu.segment('cs').selector, cpu.get('rip')], [0x900, 6n]);
  });

  test('instructions of protected mode are #UD', () => {
    real([0x0f, 0x00, 0xd8]); // ltr ax
    machine.write(6 * 4, [0x00, 0x0a, 0, 0]);
    machine.write(0xa00, [0xf4]);
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(cpu.get('rip'), 0xa01n);
  });
});

describe('protected mode of 32 bits', () => {
  test('an exception with a code, and the frame of a return at the same privilege', () => {
    // mov ax, 0x60; mov ds, ax
    protectedMode([0x66, 0xb8, 0x60, 0x00, 0x8e, 0xd8]);
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(machine.handler(), 13);
    assert.deepEqual(words(4, 4), [0x60, LOW_CODE + 4, guest.CODE32, 0x1_0002]);
  });

  test('INT n, and IRETD back', () => {
    // int 0x80; mov eax, 5; hlt
    protectedMode([0xcd, 0x80, 0xb8, 5, 0, 0, 0, 0xf4]);
    machine.write(guest.HANDLERS + 0x80 * 16, [0xcf]);
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(cpu.get('rax'), 5n);
    assert.equal(cpu.get('rsp'), BigInt(LOW_STACK));
  });

  test('from the user to the kernel’s stack and back', () => {
    // int 0x80; mov eax, 5; int 0x81
    protectedMode([0xcd, 0x80, 0xb8, 5, 0, 0, 0, 0xcd, 0x81], { cpl: 3 });
    gate32(0x80, 3);
    gate32(0x81, 3);
    machine.write(guest.HANDLERS + 0x80 * 16, [0xcf]);
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(machine.handler(), 0x81);
    assert.equal(cpu.get('rax'), 5n);
    assert.deepEqual(words(4, 5), [LOW_CODE + 9, guest.USER_CS32 | 3, 2, LOW_STACK, guest.USER_SS | 3]);
    assert.equal(cpu.get('rsp'), BigInt(guest.KERNEL_STACK_TOP - 20));
    assert.equal(cpu.cpl, 0);
  });

  test('two levels of page tables, with pages of 4 KiB and 4 MiB', () => {
    // mov eax, [0x400123]; mov ebx, [0x3000]; hlt
    protectedMode([0xa1, ...bytes(0x40_0123, 4), 0x8b, 0x1d, ...bytes(0x80_3000, 4), 0xf4]);
    const directory = 0x10_0000;
    machine.write64(directory, P | W | U | PS | ((0x10_1000n | P | W) << 32n));
    machine.write64(directory + 8, P | W | PS);
    machine.write64(0x10_1000, BigInt(DATA) | P | W);
    machine.write64(0x3000, 0x77n);
    machine.write(DATA + 0x123, bytes(0x1234, 4));
    cpu.set('cr3', BigInt(directory));
    cpu.set('cr4', 0x10n);
    cpu.set('cr0', 0x8000_0011n);
    cpu.commit();
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(machine.handler(), -1);
    assert.deepEqual([cpu.get('rax'), cpu.get('rbx')], [0x1234n, 0x77n]);
    assert.equal(machine.read(0x10_1000, 1)[0], 0x23, 'accessed');
  });

  test('PAE without long mode', () => {
    // mov eax, [0x40000123]; hlt
    protectedMode([0xa1, ...bytes(0x4000_0123, 4), 0xf4]);
    const pdpt = 0x10_0020;
    machine.write64(pdpt, 0x10_1001n);
    machine.write64(pdpt + 8, 0x10_2001n);
    machine.write64(0x10_1000, P | W | PS);
    machine.write64(0x10_2000, 0x10_3000n | P | W);
    machine.write64(0x10_3000, BigInt(DATA) | P | W);
    machine.write(DATA + 0x123, bytes(0x4321, 4));
    cpu.set('cr3', BigInt(pdpt));
    cpu.set('cr4', 0x20n);
    cpu.set('cr0', 0x8000_0011n);
    cpu.commit();
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(machine.handler(), -1);
    assert.equal(cpu.get('rax'), 0x4321n);
  });

  test('a null segment can’t be used, and one that expands down only above its limit', () => {
    const read = [0xa1, ...bytes(DATA, 4), 0xf4];
    protectedMode(read);
    cpu.setSegment('ds', { ...flat, selector: 0, unusable: 1 });
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(machine.handler(), 13);
    for (const [limit, vector] of [
      [DATA, 13],
      [DATA - 1, -1],
    ] as const) {
      protectedMode(read);
      cpu.setSegment('ds', { ...flat, selector: guest.DATA32, type: 7, limit });
      assert.equal(machine.run(), layout.EXIT_HLT);
      assert.equal(machine.handler(), vector);
    }
  });

  test('a task gate is refused as unsupported, not guessed', () => {
    protectedMode([0xcd, 0x80]);
    gate32(0x80, 0, 5);
    assert.equal(machine.run(), layout.EXIT_UNSUPPORTED);
    assert.equal(cpu.get('rip'), BigInt(LOW_CODE));
  });
});

describe('from real mode to long mode', () => {
  test('as a kernel’s trampoline does it, and back to 32 bits', () => {
    machine.long([]); // tables
    machine.engine.cpu.reset();
    const wide = LOW_CODE + 0x100;
    const long = LOW_CODE + 0x200;
    const back = LOW_CODE + 0x300;
    cpu.setSegment('cs', { ...cpu.segment('cs'), base: 0n, selector: 0 });
    cpu.set('rip', BigInt(LOW_CODE));
    cpu.commit();
    machine.write(DATA, [0x5f, 0, ...bytes(GDT, 4)]);
    machine.write(
      LOW_CODE,
      [0xb8, 0x00, 0x40, 0x8e, 0xd8], // mov ax, 0x4000; mov ds, ax
      [0x66, 0x0f, 0x01, 0x16, 0, 0], // lgdtd [0]
      [0x0f, 0x20, 0xc0, 0x0c, 1, 0x0f, 0x22, 0xc0], // cr0 |= PE
      [0x66, 0xea, ...bytes(wide, 4), ...bytes(guest.CODE32, 2)],
    );
    machine.write(
      wide,
      [0x66, 0xb8, guest.DATA32, 0, 0x8e, 0xd0, 0xbc, ...bytes(LOW_STACK, 4)], // ss, esp
      [0xb8, ...bytes(0x20, 4), 0x0f, 0x22, 0xe0], // cr4 = PAE
      [0xb8, ...bytes(guest.PML4, 4), 0x0f, 0x22, 0xd8], // cr3
      [0xb9, ...bytes(0xc000_0080, 4), 0x0f, 0x32, 0x80, 0xcc, 1, 0x0f, 0x30], // efer |= LME
      [0x0f, 0x20, 0xc0, 0x0d, ...bytes(0x8000_0000, 4), 0x0f, 0x22, 0xc0], // cr0 |= PG
      [0x0f, 0x32, 0x89, 0xc3], // ebx = efer
      [0xea, ...bytes(long, 4), ...bytes(guest.KERNEL_CS, 2)],
    );
    machine.write(
      long,
      [0x48, 0xb9, ...bytes(0x1234_5678_9abc_def0n, 8)], // mov rcx
      [0x6a, guest.CODE32, 0x68, ...bytes(back, 4), 0x48, 0xcb], // push, push, lretq
    );
    machine.write(back, [0x40, 0xf4]); // inc eax; hlt
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(cpu.get('rip'), BigInt(back + 2));
    assert.equal(cpu.get('rbx'), 0x500n, 'LMA came with paging');
    assert.equal(cpu.get('rcx'), 0x1234_5678_9abc_def0n);
    assert.equal(cpu.get('rax'), 0x501n);
    assert.equal(cpu.codeBits, 32);
  });

  test('paging can’t be switched on with LME and without PAE', () => {
    protectedMode([0xb8, ...bytes(0x8000_0011, 4), 0x0f, 0x22, 0xc0]);
    cpu.set('efer', 0x100n);
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(machine.handler(), 13);
  });
});
