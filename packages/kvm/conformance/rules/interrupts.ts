import type { Vcpu } from '../../src/port/vcpu.ts';
import { asm16 } from '../guests/asm16.ts';
import { asm64 } from '../guests/asm64.ts';
import { type Code, program } from '../guests/bytes.ts';
import { longModeGuest } from '../guests/long-mode.ts';
import { realModeGuest } from '../guests/real-mode.ts';
import { capability } from '../needs.ts';
import { IOEVENTFD } from '../numbers.ts';
import type { Rule } from '../rule.ts';
import type { RuleContext } from '../rule-context.ts';

/** The guest tells by a byte to this port; the byte is in AL. */
const TELL = asm16.outImm8(0xe1);
const READY = 1;
const HANDLED = 0x77;
const LINE = 5;
const VECTOR_BASE = 0x20;
const NMI_VECTOR = 2;
const DOORBELL = 0x1000_0000;
const DOORBELL_PORT = 0x510;

const out = (port: number, value: number): Code => [...asm16.movAl(value), ...asm16.outImm8(port)];

/** The 8259: ICW1 to ICW4, vectors from 0x20, all lines masked but LINE. */
const PIC_SETUP: Code = [
  ...out(0x20, 0x11),
  ...out(0x21, VECTOR_BASE),
  ...out(0x21, 0x04),
  ...out(0x21, 0x01),
  ...out(0x21, 0xff & ~(1 << LINE)),
];
const HANDLER = program(asm16.movAl(HANDLED), TELL, asm16.iret);
const WAIT: Code = [...asm16.movAl(READY), ...asm16.sti, ...TELL, ...asm16.hlt, ...asm16.spin];

function expectByte(ctx: RuleContext, vcpu: Vcpu, value: number, what: string): void {
  ctx.equal(ctx.runTo(vcpu, 'io', what).data[0], value, what);
}

function guestWithIrqchip(ctx: RuleContext) {
  const vm = ctx.vm();
  vm.createIrqchip();
  const code = program(PIC_SETUP, WAIT);
  const started = realModeGuest(ctx, code, { vm, handlers: { [VECTOR_BASE + LINE]: HANDLER } });
  expectByte(ctx, started.vcpu, READY, 'the guest is ready');
  return started;
}

export const interruptRules: readonly Rule[] = [
  {
    id: 'interrupts/irq-line-reaches-the-guest',
    says: 'A line that goes up interrupts the guest at the vector that it gave the 8259.',
    source: 'API document, KVM_IRQ_LINE',
    check: (ctx) => {
      const { vm, vcpu } = guestWithIrqchip(ctx);
      vm.irqLine(LINE, 1);
      expectByte(ctx, vcpu, HANDLED, 'the handler');
    },
  },
  {
    id: 'interrupts/irqfd-reaches-the-guest',
    says: 'Signalling an eventfd that is bound to a line interrupts the guest.',
    source: 'API document, KVM_IRQFD',
    needs: [capability('IRQFD')],
    check: (ctx) => {
      const { vm, vcpu } = guestWithIrqchip(ctx);
      const event = ctx.eventFd();
      vm.irqfd(event.fd, LINE);
      event.signal();
      expectByte(ctx, vcpu, HANDLED, 'the handler');
    },
  },
  {
    id: 'interrupts/injected-without-irqchip',
    says: 'Without an irqchip user space injects a vector, and the guest’s handler runs.',
    source: 'API document, KVM_INTERRUPT',
    check: (ctx) => {
      const { vcpu } = realModeGuest(ctx, program(WAIT), { handlers: { 0x30: HANDLER } });
      expectByte(ctx, vcpu, READY, 'the guest is ready');
      vcpu.completeExit();
      vcpu.interrupt(0x30);
      expectByte(ctx, vcpu, HANDLED, 'the handler');
    },
  },
  {
    id: 'interrupts/nmi-reaches-the-guest',
    says: 'An NMI reaches the guest even with interrupts off.',
    source: 'API document, KVM_NMI',
    check: (ctx) => {
      const code = program(asm16.movAl(READY), TELL, asm16.spin);
      const { vcpu } = realModeGuest(ctx, code, { handlers: { [NMI_VECTOR]: HANDLER } });
      expectByte(ctx, vcpu, READY, 'the guest is ready');
      ctx.accepts(() => vcpu.nmi());
      expectByte(ctx, vcpu, HANDLED, 'the handler');
    },
  },
];

const outWord = (value: number): Code => [...asm16.movAx(value), ...asm16.outAx];

export const doorbellRules: readonly Rule[] = [
  {
    id: 'doorbell/memory-write-signals-without-exit',
    says: 'A write to a doorbell in memory signals its eventfd once and does not exit.',
    source: 'API document, KVM_IOEVENTFD',
    needs: [capability('IOEVENTFD')],
    check: (ctx) => {
      const code = program(asm64.movRdi(DOORBELL), asm64.movRax(1), asm64.storeRaxAtRdi, asm64.hlt);
      const { vm, vcpu } = longModeGuest(ctx, code);
      const event = ctx.eventFd();
      vm.ioeventfd(event.fd, DOORBELL, 8);
      ctx.runTo(vcpu, 'hlt');
      ctx.equal(event.take(), 1, 'signals');
    },
  },
  {
    id: 'doorbell/port-write-signals-without-exit',
    says: 'A write to a doorbell port signals its eventfd once and does not exit.',
    source: 'API document, KVM_IOEVENTFD',
    needs: [capability('IOEVENTFD')],
    check: (ctx) => {
      const { vm, vcpu } = realModeGuest(ctx, program(asm16.movDx(DOORBELL_PORT), asm16.outAx, asm16.hlt));
      const event = ctx.eventFd();
      vm.ioeventfd(event.fd, DOORBELL_PORT, 2, IOEVENTFD.PIO);
      ctx.runTo(vcpu, 'hlt');
      ctx.equal(event.take(), 1, 'signals');
    },
  },
  {
    id: 'doorbell/other-length-exits',
    says: 'A write of another length than the doorbell watches exits to user space.',
    source: 'API document, KVM_IOEVENTFD',
    needs: [capability('IOEVENTFD')],
    check: (ctx) => {
      const { vm, vcpu } = realModeGuest(ctx, program(asm16.movDx(DOORBELL_PORT), asm16.outAl, asm16.hlt));
      const event = ctx.eventFd();
      vm.ioeventfd(event.fd, DOORBELL_PORT, 2, IOEVENTFD.PIO);
      ctx.equal(ctx.runTo(vcpu, 'io').size, 1, 'size');
      ctx.equal(event.take(), 0, 'signals');
    },
  },
  {
    id: 'doorbell/datamatch',
    says: 'A doorbell that watches for a value is silent for others, which exit.',
    source: 'API document, KVM_IOEVENTFD',
    needs: [capability('IOEVENTFD')],
    check: (ctx) => {
      const code = program(asm16.movDx(DOORBELL_PORT), outWord(3), outWord(4), asm16.hlt);
      const { vm, vcpu } = realModeGuest(ctx, code);
      const event = ctx.eventFd();
      vm.ioeventfd(event.fd, DOORBELL_PORT, 2, IOEVENTFD.PIO | IOEVENTFD.DATAMATCH, 4);
      ctx.bytes(ctx.runTo(vcpu, 'io').data, [3, 0], 'the value that exits');
      ctx.runTo(vcpu, 'hlt');
      ctx.equal(event.take(), 1, 'signals');
    },
  },
];
