import { asm16 } from '../guests/asm16.ts';
import { program } from '../guests/bytes.ts';
import { realModeGuest } from '../guests/real-mode.ts';
import { MEM, PAGE } from '../numbers.ts';
import type { Rule } from '../rule.ts';

const SLOT = 7;
const LOGGED_GPA = 0x10_0000;
const PAGES = 16;
const source = 'API document, KVM_GET_DIRTY_LOG; dirty_log_test';

export const dirtyLogRules: readonly Rule[] = [
  {
    id: 'dirty-log/absent-slot-enoent',
    says: 'The log of a slot that is not there is refused with ENOENT.',
    source,
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.refuses('ENOENT', () => vm.getDirtyLog(SLOT, PAGES));
    },
  },
  {
    id: 'dirty-log/slot-without-log-enoent',
    says: 'The log of a slot that does not log is refused with ENOENT.',
    source,
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.slot(vm, SLOT, LOGGED_GPA, ctx.memory(PAGES * PAGE));
      ctx.refuses('ENOENT', () => vm.getDirtyLog(SLOT, PAGES));
    },
  },
  {
    id: 'dirty-log/slot-beyond-einval',
    says: 'The log of a slot number that cannot be is refused with EINVAL.',
    source,
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.refuses('EINVAL', () => vm.getDirtyLog(0xffff, PAGES));
    },
  },
  {
    id: 'dirty-log/writes-are-logged-once',
    says: 'A page that the guest wrote is in the log; reading the log clears it; pages it read are not there.',
    source,
    check: (ctx) => {
      // Reads page 5 and writes page 2 of the logged slot, tells, and again.
      const round = [...asm16.loadAl(5 * PAGE), ...asm16.storeAl(2 * PAGE), ...asm16.outImm8(0xe1)];
      const dsBase = 0xa_0000;
      const { vm, vcpu } = realModeGuest(ctx, program(round, round, asm16.hlt), { dsBase });
      ctx.slot(vm, SLOT, dsBase, ctx.memory(PAGES * PAGE), MEM.LOG_DIRTY_PAGES);
      ctx.runTo(vcpu, 'io');
      ctx.bytes(vm.getDirtyLog(SLOT, PAGES), [0b100, 0, 0, 0, 0, 0, 0, 0], 'the log after the first round');
      ctx.bytes(vm.getDirtyLog(SLOT, PAGES), [0, 0, 0, 0, 0, 0, 0, 0], 'the log read again');
      ctx.runTo(vcpu, 'io');
      ctx.bytes(vm.getDirtyLog(SLOT, PAGES), [0b100, 0, 0, 0, 0, 0, 0, 0], 'the log after the second round');
    },
  },
  {
    id: 'dirty-log/host-writes-are-not-logged',
    says: 'What the host writes to the memory itself is not in the log.',
    source,
    check: (ctx) => {
      const vm = ctx.vm();
      const memory = ctx.memory(PAGES * PAGE);
      ctx.slot(vm, SLOT, LOGGED_GPA, memory, MEM.LOG_DIRTY_PAGES);
      memory.fill(0, memory.size, 1);
      ctx.bytes(vm.getDirtyLog(SLOT, PAGES), [0, 0, 0, 0, 0, 0, 0, 0], 'the log');
    },
  },
];
