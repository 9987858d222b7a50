import type { MmioExit } from '../../src/port/exit.ts';
import type { Vcpu } from '../../src/port/vcpu.ts';
import { asm16 } from '../guests/asm16.ts';
import { asm64 } from '../guests/asm64.ts';
import { type Code, littleEndian, program } from '../guests/bytes.ts';
import { longModeGuest } from '../guests/long-mode.ts';
import { realModeGuest } from '../guests/real-mode.ts';
import { PAGE } from '../numbers.ts';
import type { Rule } from '../rule.ts';
import type { RuleContext } from '../rule-context.ts';

/** Where no slot is: below 1 MiB for real mode, inside the mapped GiB for long mode. */
const LOW = 0xd_0000;
const HIGH = 0x1000_0000;
const OFFSET = 0x124;
const VALUE = 0x4433_2211;
const WIDE = 0x8877_6655_4433_2211n;
const source = 'API document, the kvm_run structure, KVM_EXIT_MMIO';

function expectMmio(ctx: RuleContext, vcpu: Vcpu, isWrite: boolean, gpa: number, size: number): MmioExit {
  const exit = ctx.runTo(vcpu, 'mmio');
  ctx.equal(exit.isWrite, isWrite, 'is a write');
  ctx.equal(exit.gpa, gpa, 'address');
  ctx.equal(exit.size, size, 'size');
  ctx.equal(exit.data.length, size, 'bytes of data');
  return exit;
}

function widthRules(size: 1 | 2 | 4, store: Code, load: Code): Rule[] {
  return [
    {
      id: `mmio/write-${size * 8}-bit`,
      says: `A store of ${size * 8} bits where no slot is exits with the address, the size and the bytes.`,
      source,
      check: (ctx) => {
        const { vcpu } = realModeGuest(ctx, program(asm16.movEax(VALUE), store, asm16.hlt), { dsBase: LOW });
        const exit = expectMmio(ctx, vcpu, true, LOW + OFFSET, size);
        ctx.bytes(exit.data, littleEndian(VALUE, 4).slice(0, size), 'the bytes');
        ctx.runTo(vcpu, 'hlt');
      },
    },
    {
      id: `mmio/read-${size * 8}-bit`,
      says: `A load of ${size * 8} bits where no slot is takes its bytes from user space.`,
      source,
      check: (ctx) => {
        const { vcpu } = realModeGuest(ctx, program(asm16.movEax(VALUE), load, asm16.hlt), { dsBase: LOW });
        const reply = [0xa1, 0xb2, 0xc3, 0xd4].slice(0, size);
        expectMmio(ctx, vcpu, false, LOW + OFFSET, size).data.set(reply);
        ctx.runTo(vcpu, 'hlt');
        const expected = reply.concat(littleEndian(VALUE, 4).slice(size));
        ctx.bytes(Uint8Array.from(littleEndian(vcpu.getRegs().rax, 4)), expected, 'EAX');
      },
    },
  ];
}

export const mmioRules: readonly Rule[] = [
  ...widthRules(1, asm16.storeAl(OFFSET), asm16.loadAl(OFFSET)),
  ...widthRules(2, asm16.storeAx(OFFSET), asm16.loadAx(OFFSET)),
  ...widthRules(4, asm16.storeEax(OFFSET), asm16.loadEax(OFFSET)),
  {
    id: 'mmio/write-64-bit',
    says: 'A store of 64 bits is one exit of 8 bytes.',
    source,
    check: (ctx) => {
      const code = program(asm64.movRdi(HIGH), asm64.movRax(WIDE), asm64.storeRaxAtRdi, asm64.hlt);
      const { vcpu } = longModeGuest(ctx, code);
      ctx.bytes(expectMmio(ctx, vcpu, true, HIGH, 8).data, littleEndian(WIDE, 8), 'the bytes');
      ctx.runTo(vcpu, 'hlt');
    },
  },
  {
    id: 'mmio/read-64-bit',
    says: 'A load of 64 bits is one exit of 8 bytes.',
    source,
    check: (ctx) => {
      const { vcpu } = longModeGuest(ctx, program(asm64.movRdi(HIGH), asm64.loadRaxFromRdi, asm64.hlt));
      expectMmio(ctx, vcpu, false, HIGH, 8).data.set(littleEndian(WIDE, 8));
      ctx.runTo(vcpu, 'hlt');
      ctx.equal(vcpu.getRegs().rax, WIDE, 'RAX');
    },
  },
  {
    id: 'mmio/across-pages-is-split',
    says: 'An access across a page boundary comes in pieces, none of which crosses a page.',
    source,
    check: (ctx) => {
      const at = HIGH + PAGE - 2;
      const code = program(asm64.movRdi(at), asm64.movRax(WIDE), asm64.storeRaxAtRdi, asm64.hlt);
      const { vcpu } = longModeGuest(ctx, code);
      const bytes = new Map<number, number>();
      let exit = ctx.run(vcpu);
      while (exit.kind === 'mmio') {
        const { gpa, data } = exit;
        ctx.equal(Math.floor(gpa / PAGE), Math.floor((gpa + data.length - 1) / PAGE), 'the page of the last byte');
        for (const [index, byte] of data.entries()) bytes.set(gpa + index, byte);
        exit = ctx.run(vcpu);
      }
      ctx.equal(exit.kind, 'hlt', 'the last exit');
      const found = Uint8Array.from(littleEndian(WIDE, 8), (_, index) => bytes.get(at + index) ?? 0);
      ctx.bytes(found, littleEndian(WIDE, 8), 'all bytes');
    },
  },
  {
    id: 'mmio/complete-takes-the-reply',
    says: 'A run with immediate_exit takes the reply to a load and executes nothing more.',
    source: 'API document, KVM_RUN: pending operations are completed by the next run, also with immediate_exit',
    check: (ctx) => {
      const { vcpu } = realModeGuest(ctx, program(asm16.loadAl(OFFSET), asm16.hlt), { dsBase: LOW });
      expectMmio(ctx, vcpu, false, LOW + OFFSET, 1).data[0] = 0x5a;
      vcpu.completeExit();
      ctx.equal(vcpu.getRegs().rax & 0xffn, 0x5an, 'AL');
      ctx.runTo(vcpu, 'hlt');
    },
  },
  {
    id: 'mmio/execute-where-no-slot-is',
    says: 'A guest that runs off its memory stops with an emulation error: there is nothing to fetch.',
    source: 'API document, the kvm_run structure, KVM_EXIT_INTERNAL_ERROR',
    check: (ctx) => {
      const { vcpu } = realModeGuest(ctx, program(asm16.jmpFar(LOW >>> 4, 0)));
      ctx.equal(ctx.runTo(vcpu, 'internal-error').suberror, 1, 'the suberror, emulation');
    },
  },
  {
    id: 'mmio/instruction-that-cannot-be-emulated',
    says: 'A device access by an instruction that KVM cannot emulate stops the guest with an emulation error.',
    source: 'API document, the kvm_run structure, KVM_EXIT_INTERNAL_ERROR',
    check: (ctx) => {
      const { vcpu } = realModeGuest(ctx, program(asm16.fldDword(OFFSET), asm16.hlt), { dsBase: LOW });
      ctx.equal(ctx.runTo(vcpu, 'internal-error').suberror, 1, 'the suberror, emulation');
    },
  },
];
