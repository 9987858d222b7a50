import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asm16 } from '../../conformance/guests/asm16.ts';
import { type Code, program } from '../../conformance/guests/bytes.ts';
import { REAL_CODE, REAL_DATA, realModeGuest } from '../../conformance/guests/real-mode.ts';
import { softwareContext } from './helpers/software-context.ts';

const VECTOR = 0x20;
const out = (port: number, value: number): Code => [...asm16.movAl(value), ...asm16.outImm8(port)];
/** The 8259s with vectors from 0x20, all lines masked but the PIT's; the PIT's channel 0 in mode 0, 1193 ticks. */
const ONE_MILLISECOND_TIMER: Code = [
  ...out(0x20, 0x11),
  ...out(0x21, VECTOR),
  ...out(0x21, 0x04),
  ...out(0x21, 0x01),
  ...out(0x21, 0xfe),
  ...out(0x43, 0x30),
  ...out(0x40, 1193 & 0xff),
  ...out(0x40, 1193 >> 8),
];

describe('a real-mode guest of the software KVM', () => {
  test('is woken from HLT inside KVM_RUN by the PIT that it set up', () => {
    using context = softwareContext();
    const { ctx } = context;
    const vm = ctx.vm();
    vm.createIrqchip();
    vm.createPit2();
    const handler = program(asm16.incByte(REAL_DATA), asm16.iret);
    const code = program(ONE_MILLISECOND_TIMER, asm16.sti, asm16.hlt, asm16.outImm8(0xe1));
    const { vcpu, memory } = realModeGuest(ctx, code, { vm, handlers: { [VECTOR]: handler } });
    const exit = ctx.runTo(vcpu, 'io');
    assert.equal(exit.port, 0xe1, 'the instruction behind HLT');
    assert.deepEqual([...memory.read(REAL_DATA, 1)], [1], 'how often the handler ran');
  });

  test('shares the processor with another one, and neither finds the other’s registers', () => {
    using context = softwareContext();
    const { ctx } = context;
    const count = program(asm16.incByte(REAL_DATA), asm16.loadAl(REAL_DATA), asm16.hlt, asm16.jmpShort(-10));
    const guests = [realModeGuest(ctx, count), realModeGuest(ctx, count)];
    for (const rounds of [1, 2, 3])
      for (const [at, { vcpu }] of guests.entries()) {
        if (rounds > at + 1) continue;
        ctx.runTo(vcpu, 'hlt');
        assert.equal(vcpu.getRegs().rax & 0xffn, BigInt(rounds), `AL of guest ${at}`);
      }
    assert.deepEqual(
      guests.map(({ memory }) => memory.read(REAL_DATA, 1)[0]),
      [1, 2],
    );
  });

  test('executes code that it has written, and that the host has', () => {
    using context = softwareContext();
    const { ctx } = context;
    // Overwrites the operand of MOV AL behind the store, then halts; the host changes it after that.
    const first = asm16.movAl(0x77);
    const store = asm16.storeAl(REAL_CODE + first.length + 3 + 1);
    const code = program(first, store, asm16.movAl(0), asm16.hlt);
    const { vcpu, memory } = realModeGuest(ctx, code);
    ctx.runTo(vcpu, 'hlt');
    assert.equal(vcpu.getRegs().rax & 0xffn, 0x77n);
    memory.write(REAL_CODE, program(asm16.movAl(0x12), asm16.hlt));
    vcpu.setRegs({ ...vcpu.getRegs(), rip: BigInt(REAL_CODE) });
    ctx.runTo(vcpu, 'hlt');
    assert.equal(vcpu.getRegs().rax & 0xffn, 0x12n);
  });

  test('that the engine can’t go on with ends with the instruction’s own bytes', () => {
    using context = softwareContext();
    const { ctx } = context;
    const { vcpu } = realModeGuest(ctx, program(asm16.fldDword(0x124), asm16.hlt), { dsBase: 0xd_0000 });
    const exit = ctx.runTo(vcpu, 'internal-error');
    assert.equal(exit.data[0], '1', 'the flag: instruction bytes');
    // Up to 15 bytes from RIP on, behind their count: D9 06 24 01.
    assert.match(exit.data[1] ?? '', /012406d9(0f|f)$/);
  });
});
