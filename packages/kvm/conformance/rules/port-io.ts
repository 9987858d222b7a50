import type { IoExit } from '../../src/port/exit.ts';
import type { Vcpu } from '../../src/port/vcpu.ts';
import { asm16 } from '../guests/asm16.ts';
import { type Code, littleEndian, program } from '../guests/bytes.ts';
import { REAL_CODE, REAL_DATA, realModeGuest } from '../guests/real-mode.ts';
import type { Rule } from '../rule.ts';
import type { RuleContext } from '../rule-context.ts';

/** A port that nothing in KVM listens at. */
const PORT = 0x510;
const VALUE = 0x4433_2211;
const source = 'API document, the kvm_run structure, KVM_EXIT_IO';

const toPort = asm16.movDx(PORT);

function widthRule(size: 1 | 2 | 4, out: Code, input: Code): Rule[] {
  return [
    {
      id: `io/out-${size * 8}-bit`,
      says: `OUT of ${size * 8} bits exits with the port, the size, one item and its bytes.`,
      source,
      check: (ctx) => {
        const { vcpu } = realModeGuest(ctx, program(toPort, asm16.movEax(VALUE), out, asm16.hlt));
        const exit = expectIo(ctx, vcpu, 'out', size);
        ctx.equal(exit.count, 1, 'items');
        ctx.bytes(exit.data, littleEndian(VALUE, 4).slice(0, size), 'the bytes');
        ctx.runTo(vcpu, 'hlt');
      },
    },
    {
      id: `io/in-${size * 8}-bit`,
      says: `IN of ${size * 8} bits takes its bytes from user space and leaves the rest of EAX.`,
      source,
      check: (ctx) => {
        const { vcpu } = realModeGuest(ctx, program(toPort, asm16.movEax(VALUE), input, asm16.hlt));
        const exit = expectIo(ctx, vcpu, 'in', size);
        exit.data.set([0xa1, 0xb2, 0xc3, 0xd4].slice(0, size));
        ctx.runTo(vcpu, 'hlt');
        const expected = [0xa1, 0xb2, 0xc3, 0xd4].slice(0, size).concat(littleEndian(VALUE, 4).slice(size));
        ctx.bytes(Uint8Array.from(littleEndian(vcpu.getRegs().rax, 4)), expected, 'EAX');
      },
    },
  ];
}

function expectIo(ctx: RuleContext, vcpu: Vcpu, direction: 'in' | 'out', size: number): IoExit {
  const exit = ctx.runTo(vcpu, 'io');
  ctx.equal(exit.direction, direction, 'direction');
  ctx.equal(exit.port, PORT, 'port');
  ctx.equal(exit.size, size, 'size');
  ctx.equal(exit.data.length, exit.size * exit.count, 'bytes of data');
  return exit;
}

/** A string instruction may come in any number of exits; together they have all items, in order. */
function stringOut(size: 1 | 2, instruction: Code): Rule {
  const items = 7;
  return {
    id: `io/rep-outs-${size * 8}-bit`,
    says: `REP OUTS of ${size * 8}-bit items hands out every item once, in order, in one exit or more.`,
    source,
    check: (ctx) => {
      const code = program(toPort, asm16.movSi(REAL_DATA), asm16.movCx(items), instruction, asm16.hlt);
      const { vcpu, memory } = realModeGuest(ctx, code);
      const expected = Array.from({ length: items * size }, (_, index) => 0x30 + index);
      memory.write(REAL_DATA, Uint8Array.from(expected));
      const found: number[] = [];
      while (found.length < expected.length) found.push(...expectIo(ctx, vcpu, 'out', size).data);
      ctx.bytes(Uint8Array.from(found), expected, 'all bytes');
      ctx.runTo(vcpu, 'hlt');
      ctx.equal(vcpu.getRegs().rcx, 0n, 'CX at the end');
      ctx.equal(vcpu.getRegs().rsi, BigInt(REAL_DATA + expected.length), 'SI at the end');
    },
  };
}

function stringIn(size: 1 | 2, instruction: Code): Rule {
  const items = 7;
  return {
    id: `io/rep-ins-${size * 8}-bit`,
    says: `REP INS of ${size * 8}-bit items takes every item once, in order, in one exit or more.`,
    source,
    check: (ctx) => {
      const code = program(toPort, asm16.movDi(REAL_DATA), asm16.movCx(items), instruction, asm16.hlt);
      const { vcpu, memory } = realModeGuest(ctx, code);
      let given = 0;
      let exit = ctx.run(vcpu);
      while (exit.kind === 'io') {
        for (let index = 0; index < exit.data.length; index += 1) exit.data[index] = 0x30 + given + index;
        given += exit.data.length;
        ctx.holds(given <= items * size, 'no more bytes than asked for', given);
        exit = ctx.run(vcpu);
      }
      ctx.equal(exit.kind, 'hlt', 'the last exit');
      const expected = Array.from({ length: items * size }, (_, index) => 0x30 + index);
      ctx.bytes(memory.read(REAL_DATA, expected.length), expected, 'the guest’s memory');
      ctx.equal(memory.read(REAL_DATA + expected.length, 1)[0], 0, 'the byte behind it');
    },
  };
}

export const portIoRules: readonly Rule[] = [
  ...widthRule(1, asm16.outAl, asm16.inAl),
  ...widthRule(2, asm16.outAx, asm16.inAx),
  ...widthRule(4, asm16.outEax, asm16.inEax),
  stringOut(1, asm16.repOutsb),
  stringOut(2, asm16.repOutsw),
  stringIn(1, asm16.repInsb),
  stringIn(2, asm16.repInsw),
  {
    id: 'io/rep-with-cx-0-does-nothing',
    says: 'A string instruction with CX = 0 does not exit.',
    source,
    check: (ctx) => {
      const { vcpu } = realModeGuest(ctx, program(toPort, asm16.movCx(0), asm16.repOutsb, asm16.hlt));
      ctx.runTo(vcpu, 'hlt');
    },
  },
  {
    id: 'io/immediate-port',
    says: 'OUT with the port in the instruction exits with that port.',
    source,
    check: (ctx) => {
      const { vcpu } = realModeGuest(ctx, program(asm16.movAl(7), asm16.outImm8(0xe3), asm16.hlt));
      const exit = ctx.runTo(vcpu, 'io');
      ctx.equal(exit.port, 0xe3, 'port');
      ctx.bytes(exit.data, [7], 'the byte');
    },
  },
  {
    id: 'io/complete-takes-the-reply',
    says: 'A run with immediate_exit takes the reply to an IN and executes nothing more.',
    source: 'API document, KVM_RUN: pending operations are completed by the next run, also with immediate_exit',
    since: '4.13',
    check: (ctx) => {
      const code = program(toPort, asm16.inAl, asm16.hlt);
      const { vcpu } = realModeGuest(ctx, code);
      expectIo(ctx, vcpu, 'in', 1).data[0] = 0x5a;
      vcpu.completeExit();
      const regs = vcpu.getRegs();
      ctx.equal(regs.rax & 0xffn, 0x5an, 'AL');
      ctx.equal(regs.rip, BigInt(REAL_CODE + code.length - 1), 'RIP, at the instruction behind the IN');
      ctx.runTo(vcpu, 'hlt');
    },
  },
];
