import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asm64 } from '../../conformance/guests/asm64.ts';
import { program } from '../../conformance/guests/bytes.ts';
import { LONG_CODE, LONG_DATA, longModeGuest } from '../../conformance/guests/long-mode.ts';
import { SoftwareVcpu } from '../../src/software/index.ts';
import { softwareContext } from './helpers/software-context.ts';

const SYSTEM_TIME = 0x4b56_4d01;
const WALL_CLOCK = 0x4b56_4d00;
const TSC = 0x10;
const rdtsc = [0x0f, 0x31];
const wrmsr = [0x0f, 0x30];
const loop = (target: number): readonly number[] => [0xe2, target & 0xff];

/** WRMSR of an address below 4 GiB. */
const setMsr = (msr: number, address: number) => [
  ...asm64.movRcx(msr),
  ...asm64.movRdx(0),
  ...asm64.movRax(address),
  ...wrmsr,
];

describe('a long-mode guest of the software KVM', () => {
  test('computes with 64 bits and reads and writes its memory', () => {
    using context = softwareContext();
    const { ctx } = context;
    const code = program(
      asm64.movRax(0x1122_3344_5566_7788n),
      asm64.movRdi(LONG_DATA),
      asm64.storeRaxAtRdi,
      asm64.movRax(0),
      asm64.loadRaxFromRdi,
      [0x48, 0x0f, 0xc8], // bswap rax
      asm64.hlt,
    );
    const { vcpu, memory } = longModeGuest(ctx, code);
    ctx.runTo(vcpu, 'hlt');
    assert.equal(vcpu.getRegs().rax, 0x8877_6655_4433_2211n);
    assert.deepEqual([...memory.read(LONG_DATA, 8)], [0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11]);
  });

  test('is told the time by kvm-clock, from the counter that it reads itself', () => {
    using context = softwareContext();
    const { ctx } = context;
    const code = program(setMsr(SYSTEM_TIME, LONG_DATA + 1), setMsr(WALL_CLOCK, LONG_DATA + 0x100), rdtsc, asm64.hlt);
    const before = Date.now();
    const { vcpu, vm, memory } = longModeGuest(ctx, code);
    ctx.runTo(vcpu, 'hlt');
    const page = new DataView(memory.read(LONG_DATA, 0x200).buffer);
    assert.equal(page.getUint32(0, true) % 2, 0, 'the version of a page that is not being written');
    assert.notEqual(page.getUint32(0, true), 0);
    assert.equal(page.getUint8(29), 1, 'PVCLOCK_TSC_STABLE_BIT');
    const { rax, rdx } = vcpu.getRegs();
    const ticks = ((rdx << 32n) | (rax & 0xffff_ffffn)) - page.getBigUint64(8, true);
    const shift = page.getInt8(28);
    const scaled = shift < 0 ? ticks >> BigInt(-shift) : ticks << BigInt(shift);
    const now = page.getBigUint64(16, true) + ((scaled * BigInt(page.getUint32(24, true))) >> 32n);
    const clock = vm.getClock();
    assert.ok(now <= clock && now > 0n, `${now} ns by the guest's page, then ${clock} by KVM_GET_CLOCK`);
    const boot = page.getUint32(0x104, true) * 1000 + page.getUint32(0x108, true) / 1e6;
    assert.ok(Math.abs(boot + Number(clock) / 1e6 - Date.now()) < Date.now() - before + 2000, 'the wall clock');
  });

  test('runs the same with a deterministic clock: registers, counter and random numbers', () => {
    const code = program(
      asm64.movRcx(300_000),
      loop(-2),
      rdtsc,
      [0x48, 0x0f, 0xc7, 0xf3], // rdrand rbx
      asm64.hlt,
    );
    const runs = [7, 7, 8].map((seed) => {
      using context = softwareContext({ clock: { seed } });
      const { vcpu, vm } = longModeGuest(context.ctx, code);
      context.ctx.runTo(vcpu, 'hlt');
      const { rax, rdx, rbx } = vcpu.getRegs();
      return { tsc: (rdx << 32n) | rax, rbx, clock: vm.getClock(), again: vcpu.getMsrs([TSC])[0]?.value };
    });
    assert.deepEqual(runs[0], runs[1]);
    assert.ok((runs[0]?.tsc ?? 0n) >= 300_000n, 'one tick an instruction');
    assert.notEqual(runs[0]?.rbx, runs[2]?.rbx, 'another seed');
    assert.equal(runs[0]?.tsc, runs[2]?.tsc);
  });

  test('tells of each exception that it takes, while it is traced', () => {
    using context = softwareContext();
    const { ctx } = context;
    // No IDT: the page fault can't be delivered, nor the double fault behind it.
    const { vcpu } = longModeGuest(ctx, program(asm64.loadRax(2 ** 40), asm64.hlt));
    const told: unknown[] = [];
    vcpu.trace?.(({ vector, errorCode, addressHigh, addressLow, ripLow }) =>
      told.push({ vector, errorCode, address: addressHigh * 2 ** 32 + addressLow, rip: ripLow }),
    );
    ctx.runTo(vcpu, 'shutdown');
    assert.deepEqual(told.slice(0, 1), [{ vector: 14, errorCode: 0, address: 2 ** 40, rip: LONG_CODE }]);
    assert.deepEqual(
      told.map((each) => (each as { vector: number }).vector),
      [14, 8],
    );
  });

  test('stops after so many instructions, and at the same one each time', () => {
    const stops = [1, 2].map(() => {
      using context = softwareContext({ clock: { seed: 1 } });
      const { vcpu } = longModeGuest(context.ctx, program(asm64.movRcx(1_000_000), loop(-2), asm64.hlt));
      assert.ok(vcpu instanceof SoftwareVcpu);
      const seen = [50_000, 250_000].map((end) => {
        vcpu.stopAt(end);
        context.ctx.runTo(vcpu, 'intr');
        assert.ok(vcpu.retired >= end && vcpu.retired < end + 100, `${vcpu.retired} retired`);
        return vcpu.getRegs().rcx;
      });
      vcpu.stopAt(Number.POSITIVE_INFINITY);
      context.ctx.runTo(vcpu, 'hlt');
      return seen;
    });
    assert.deepEqual(stops[0], stops[1]);
  });

  test('keeps a time-stamp counter that user space sets, adjusts and scales', () => {
    using context = softwareContext({ clock: { seed: 1 } });
    const { vcpu } = longModeGuest(context.ctx, program(rdtsc, asm64.hlt));
    assert.equal(vcpu.setMsrs([{ index: TSC, value: 0xffff_ffff_0000_0000n }]), 1);
    assert.equal(vcpu.getMsrs([TSC])[0]?.value, 0xffff_ffff_0000_0000n);
    context.ctx.runTo(vcpu, 'hlt');
    const { rax, rdx } = vcpu.getRegs();
    assert.equal(rdx, 0xffff_ffffn);
    assert.ok(rax < 16n, `${rax} ticks after it was set`);
  });
});
