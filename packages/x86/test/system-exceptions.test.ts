import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { layout } from '../src/index.ts';
import { asm, type Code } from './guest/bytes.ts';
import * as guest from './guest/machine.ts';

const { CODE, DATA, HANDLERS, IST_TOP, KERNEL_STACK_TOP, Machine, STACK_TOP, USER_CODE, USER_STACK_TOP } = guest;

const machine = new Machine();
const { cpu } = machine;
const RF = 0x1_0000n;

function expectHandler(vector: number): void {
  assert.equal(machine.run(), layout.EXIT_HLT);
  assert.equal(machine.handler(), vector);
}

/** Lets the handler of a vector do something else than halt. */
function handler(vector: number, code: Code): void {
  machine.write(HANDLERS + vector * 16, code);
}

describe('delivery through the IDT', () => {
  test('from the kernel: the frame on an aligned stack, CPL and SS as they were', () => {
    machine.long([...asm.push('rax'), ...asm.ud2]);
    expectHandler(6);
    const sp = BigInt(STACK_TOP - 8);
    assert.equal(cpu.get('rsp'), (sp & ~15n) - 40n);
    assert.deepEqual(machine.stack(5), [BigInt(CODE + 2), 8n, RF | 2n, sp, 0x10n]);
    assert.equal(cpu.segment('ss').selector, 0x10);
  });

  test('from the user: to RSP0, SS null, IF off by an interrupt gate', () => {
    machine.long(asm.ud2, { cpl: 3 });
    expectHandler(6);
    assert.equal(cpu.get('rsp'), BigInt(KERNEL_STACK_TOP - 40));
    assert.deepEqual(machine.stack(5), [
      BigInt(USER_CODE),
      BigInt(guest.USER_CS | 3),
      RF | 0x202n,
      BigInt(USER_STACK_TOP),
      BigInt(guest.USER_SS | 3),
    ]);
    assert.equal(cpu.cpl, 0);
    assert.equal(cpu.segment('ss').selector, 0);
    assert.equal(cpu.rflags & 0x200n, 0n);
  });

  test('a trap gate leaves IF on', () => {
    machine.long([...asm.sti, ...asm.nop, ...asm.ud2]);
    machine.gate(6, { type: 0xf });
    expectHandler(6);
    assert.equal(cpu.rflags & 0x200n, 0x200n);
  });

  test('an IST stack is used at every privilege', () => {
    for (const cpl of [0, 3] as const) {
      machine.long(asm.ud2, { cpl });
      machine.gate(6, { ist: 1 });
      expectHandler(6);
      assert.equal(cpu.get('rsp'), BigInt(IST_TOP - 40));
    }
  });

  test('INT n returns behind itself, and the user needs the gate’s leave', () => {
    machine.long([...asm.int(0x80), ...asm.hlt], { cpl: 3 });
    expectHandler(13);
    assert.deepEqual(machine.stack(2), [BigInt(0x80 * 8 + 2), BigInt(USER_CODE)]);
    machine.long([...asm.int(0x80), ...asm.hlt], { cpl: 3 });
    machine.gate(0x80, { dpl: 3 });
    expectHandler(0x80);
    assert.deepEqual(machine.stack(3), [BigInt(USER_CODE + 2), BigInt(guest.USER_CS | 3), 0x202n]);
  });

  test('INT3 returns behind itself', () => {
    machine.long(asm.int3);
    expectHandler(3);
    assert.equal(machine.stack(1)[0], BigInt(CODE + 1));
  });

  test('gates that aren’t there', () => {
    machine.long(asm.int(0x21));
    machine.gate(0x21, { present: false });
    expectHandler(11);
    assert.equal(machine.stack(1)[0], BigInt(0x21 * 8 + 2));
    machine.long(asm.int(0x21));
    machine.gate(0x21, { selector: 0x58 });
    expectHandler(13);
    assert.equal(machine.stack(1)[0], 0x58n);
    machine.long(asm.int(0x21));
    cpu.setTable('idt', { base: BigInt(guest.IDT), limit: 0x20 * 16 - 1 });
    expectHandler(13);
    assert.equal(machine.stack(1)[0], BigInt(0x21 * 8 + 2));
  });

  test('IRETQ goes back to where the exception came from, also to the user', () => {
    for (const cpl of [0, 3] as const) {
      machine.long([...asm.ud2, ...asm.mov('rax', 5), ...asm.int3], { cpl });
      machine.gate(3, { dpl: 3 });
      // The handler skips UD2.
      handler(6, [0x48, 0x83, 0x04, 0x24, 2, ...asm.iretq]);
      expectHandler(3);
      assert.equal(cpu.get('rax'), 5n);
      assert.equal(machine.stack(2)[1], BigInt(cpl === 3 ? guest.USER_CS | 3 : 8));
      assert.equal(machine.stack(4)[3], BigInt(cpl === 3 ? USER_STACK_TOP : STACK_TOP));
    }
  });

  test('IRETQ to the user takes the kernel’s data segments away, and leaves the user’s', () => {
    machine.long(asm.ud2, { cpl: 3 });
    handler(6, [0x48, 0x83, 0x04, 0x24, 2, ...asm.iretq]);
    machine.write(USER_CODE + 2, asm.int3);
    machine.gate(3, { dpl: 3 });
    cpu.setSegment('es', { ...cpu.segment('ds'), selector: guest.KERNEL_SS, dpl: 0 });
    cpu.setSegment('fs', { ...cpu.segment('ds'), selector: 0, base: 0x1234n, unusable: 1 });
    expectHandler(3);
    assert.deepEqual([cpu.segment('es').selector, cpu.segment('es').unusable], [0, 1]);
    assert.equal(cpu.segment('ds').selector, guest.USER_SS | 3);
    assert.equal(cpu.segment('fs').base, 0x1234n);
  });

  test('IRETQ to an address that isn’t canonical is #GP in the kernel', () => {
    machine.long([
      ...asm.mov('rax', guest.USER_SS | 3),
      ...asm.push('rax'),
      ...asm.push('rax'),
      ...asm.push('rax'),
      ...asm.mov('rax', guest.USER_CS | 3),
      ...asm.push('rax'),
      ...asm.mov('rax', 1n << 60n),
      ...asm.push('rax'),
      ...asm.iretq,
    ]);
    expectHandler(13);
    assert.equal(machine.stack(1)[0], 0n);
    assert.equal(cpu.cpl, 0);
  });

  test('a page fault of the user on the handler’s stack is the kernel’s', () => {
    machine.long(asm.ud2, { cpl: 3 });
    machine.write64(machine.entryOf(KERNEL_STACK_TOP - 8), 0n);
    machine.gate(14, { ist: 1 });
    expectHandler(14);
    assert.equal(machine.stack(1)[0], 2n);
    assert.equal(cpu.get('cr2'), BigInt(KERNEL_STACK_TOP - 8));
    assert.equal(machine.stack(2)[1], BigInt(USER_CODE), 'the frame is the user’s');
  });
});

describe('faults while a fault is delivered', () => {
  test('a page fault behind a page fault is a double fault with code 0', () => {
    machine.long([...asm.mov('rdi', DATA), ...asm.load('rax')]);
    machine.write64(machine.entryOf(DATA), 0n);
    machine.gate(14, { present: false });
    machine.gate(8, { ist: 1 });
    expectHandler(8);
    assert.deepEqual(machine.stack(2), [0n, BigInt(CODE + 10)]);
  });

  test('#NP behind #UD is delivered as #NP', () => {
    machine.long(asm.ud2);
    machine.gate(6, { present: false });
    expectHandler(11);
    assert.deepEqual(machine.stack(2), [BigInt(6 * 8 + 3), BigInt(CODE)]);
  });

  test('without a stack at all: triple fault', () => {
    machine.long([...asm.mov('rsp', 0x9000_0000), ...asm.ud2]);
    assert.equal(machine.run(), layout.EXIT_SHUTDOWN);
  });

  test('without an IDT: triple fault', () => {
    machine.long(asm.ud2);
    cpu.setTable('idt', { base: 0n, limit: 0 });
    assert.equal(machine.run(), layout.EXIT_SHUTDOWN);
  });
});

describe('single steps', () => {
  test('TF gives #DB behind the next instruction, with BS in DR6', () => {
    machine.long([
      ...asm.pushfq,
      0x80,
      0x4c,
      0x24,
      1,
      1, // or byte [rsp + 1], 1: TF
      ...asm.popfq,
      ...asm.nop,
      ...asm.nop,
      ...asm.hlt,
    ]);
    expectHandler(1);
    assert.equal(machine.stack(1)[0], BigInt(CODE + 8));
    assert.equal(machine.stack(3)[2], 0x102n, 'TF is in the pushed flags, RF isn’t');
    assert.equal(cpu.get('dr6') & 0x4000n, 0x4000n);
    assert.equal(cpu.rflags & 0x100n, 0n);
  });

  test('the user is stepped through a loop of handlers', () => {
    machine.long([...asm.nop, ...asm.nop, ...asm.mov('rax', 7), ...asm.int3], { cpl: 3 });
    machine.gate(3, { dpl: 3 });
    handler(1, [0x48, 0xff, 0xc3, ...asm.iretq]); // inc rbx
    cpu.rflags = 0x302n;
    expectHandler(3);
    assert.equal(cpu.get('rbx'), 3n);
  });

  test('a jump into a page that isn’t there traps before the page is missed', () => {
    machine.long([...asm.mov('rdi', DATA), ...asm.jmpRdi], { cpl: 3 });
    machine.write64(machine.entryOf(DATA), 0n);
    cpu.rflags = 0x302n;
    handler(1, [0x48, 0xff, 0xc3, ...asm.iretq]); // inc rbx
    expectHandler(14);
    assert.equal(cpu.get('rbx'), 2n);
    assert.equal(machine.stack(2)[1], BigInt(DATA));
  });

  test('an instruction that changes the page it is in is stepped alone', () => {
    // mov byte [rip + 2], 0x90; two instructions behind it
    machine.long([0xc6, 0x05, 2, 0, 0, 0, 0x90, ...asm.nop, ...asm.nop, 0xf4]);
    cpu.rflags = 0x102n;
    expectHandler(1);
    assert.equal(machine.stack(1)[0], BigInt(CODE + 7));
  });

  test('no #DB behind a system call that masks TF', () => {
    machine.long(asm.syscall, { cpl: 3 });
    cpu.rflags = 0x302n;
    cpu.set('star', (BigInt(guest.KERNEL_CS) << 32n) | (BigInt(guest.USER_CS32) << 48n));
    cpu.set('lstar', BigInt(HANDLERS + 0x40 * 16));
    cpu.set('sfmask', 0x4_7700n);
    expectHandler(0x40);
  });
});

describe('interrupts from outside', () => {
  test('one is taken where the processor stands', () => {
    machine.long([...asm.sti, ...asm.spin]);
    assert.equal(machine.run(100), layout.EXIT_BUDGET);
    assert.ok(cpu.interruptible);
    assert.equal(machine.engine.deliverInterrupt(0x30), 0);
    expectHandler(0x30);
    assert.deepEqual(machine.stack(3), [BigInt(CODE + 1), 8n, 0x202n]);
  });

  test('the shadow of STI lasts for one instruction', () => {
    machine.long([...asm.sti, ...asm.nop, ...asm.nop, ...asm.hlt]);
    cpu.setWord(layout.IRQ_WAITING, 1);
    assert.equal(machine.run(), layout.EXIT_IRQ_WINDOW);
    assert.equal(cpu.get('rip'), BigInt(CODE + 2));
    assert.ok(cpu.interruptible);
  });

  test('STI; HLT halts before the window opens', () => {
    machine.long([...asm.sti, ...asm.hlt]);
    cpu.setWord(layout.IRQ_WAITING, 1);
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(cpu.get('rip'), BigInt(CODE + 2));
    assert.ok(cpu.interruptible);
  });

  test('STI; CLI opens none', () => {
    machine.long([...asm.sti, ...asm.cli, ...asm.hlt]);
    cpu.setWord(layout.IRQ_WAITING, 1);
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.ok(!cpu.interruptible);
  });

  test('STI in front of a jump to itself: the shadow ends all the same', () => {
    machine.long([...asm.sti, ...asm.spin]);
    cpu.setWord(layout.IRQ_WAITING, 1);
    assert.equal(machine.run(1000), layout.EXIT_IRQ_WINDOW);
    assert.equal(cpu.get('rip'), BigInt(CODE + 1));
  });

  test('a window that is open already is told at once', () => {
    machine.long([...asm.sti, ...asm.spin]);
    machine.run(10);
    cpu.setWord(layout.IRQ_WAITING, 1);
    assert.equal(machine.run(1000), layout.EXIT_IRQ_WINDOW);
  });

  test('POPF and IRETQ open it too', () => {
    machine.long([...asm.mov('rax', 0x202), ...asm.push('rax'), ...asm.popfq, ...asm.nop, ...asm.hlt]);
    cpu.setWord(layout.IRQ_WAITING, 1);
    assert.equal(machine.run(), layout.EXIT_IRQ_WINDOW);
    assert.equal(cpu.get('rip'), BigInt(CODE + 13));
    machine.long([...asm.ud2, ...asm.spin], { cpl: 3 });
    expectHandler(6);
    cpu.setWord(layout.IRQ_WAITING, 1);
    cpu.set('rip', BigInt(HANDLERS + 6 * 16));
    machine.write(HANDLERS + 6 * 16, [0x48, 0x83, 0x04, 0x24, 2, ...asm.iretq]);
    assert.equal(machine.run(), layout.EXIT_IRQ_WINDOW);
    assert.equal(cpu.get('rip'), BigInt(USER_CODE + 2));
    assert.equal(cpu.cpl, 3);
  });

  test('MOV SS holds them off for the instruction behind it', () => {
    machine.long([...asm.sti, ...asm.movSsAx, ...asm.nop, ...asm.hlt]);
    cpu.set('rax', BigInt(guest.KERNEL_SS));
    cpu.setWord(layout.IRQ_WAITING, 1);
    assert.equal(machine.run(), layout.EXIT_IRQ_WINDOW);
    assert.equal(cpu.get('rip'), BigInt(CODE + 4));
  });

  test('an injected exception has its code, and one on the double fault’s way makes it', () => {
    machine.long(asm.spin);
    cpu.set('cr2', 0x1234n);
    assert.equal(machine.engine.raise(14, 2), 0);
    expectHandler(14);
    assert.deepEqual(machine.stack(2), [2n, BigInt(CODE)]);
    machine.long(asm.spin);
    machine.gate(14, { present: false });
    assert.equal(machine.engine.raise(14, 2), 0);
    expectHandler(8);
  });

  test('an NMI blocks the next until IRET', () => {
    machine.long(asm.spin);
    handler(2, asm.iretq);
    assert.equal(machine.engine.deliverNmi(), 0);
    assert.equal(cpu.word(layout.NMI_BLOCKED), 1);
    machine.run(10);
    assert.equal(cpu.word(layout.NMI_BLOCKED), 0);
    assert.equal(cpu.get('rip'), BigInt(CODE));
  });

  test('a halted processor goes on in the handler and comes back behind HLT', () => {
    machine.long([...asm.sti, ...asm.hlt, ...asm.mov('rax', 9), ...asm.hlt]);
    handler(0x30, asm.iretq);
    assert.equal(machine.run(), layout.EXIT_HLT);
    machine.engine.deliverInterrupt(0x30);
    assert.equal(machine.run(), layout.EXIT_HLT);
    assert.equal(cpu.get('rax'), 9n);
  });
});
