import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { asm64 } from '../../conformance/guests/asm64.ts';
import { program } from '../../conformance/guests/bytes.ts';
import { LONG_DATA, longModeGuest } from '../../conformance/guests/long-mode.ts';
import { REGISTER_IMAGE_BYTES, REGISTER_ROWS, SoftwareVcpu } from '../../src/software/index.ts';
import { softwareContext } from './helpers/software-context.ts';

const loop = (target: number): readonly number[] => [0xe2, target & 0xff];
const rdtsc = [0x0f, 0x31];
const PDPT = 0x9000;
/** GiB 3 onto itself, present, writable, one large page: the local APIC's registers lie there. */
const APIC_GIB = 0xc000_0087n;
const APIC = 0xfee0_0000;
const APIC_REGISTERS = { spurious: 0xf0, initialCount: 0x380, currentCount: 0x390 } as const;
const storeEaxAtRdi = [0x89, 0x07];
const loadEaxFromRdi = [0x8b, 0x07];

/** Runs a guest to its HLT with a stop each so many instructions; what it leaves in its registers, and when. */
function ran(every: number): { readonly image: string; readonly retired: number; readonly stops: readonly number[] } {
  using context = softwareContext({ clock: { seed: 3 } });
  const { ctx } = context;
  const vm = ctx.vm();
  vm.createIrqchip();
  const code = program(
    asm64.movRdi(APIC + APIC_REGISTERS.spurious),
    asm64.movRax(0x1ff),
    storeEaxAtRdi,
    asm64.movRcx(1234),
    loop(-2),
    asm64.movRdi(APIC + APIC_REGISTERS.initialCount),
    asm64.movRax(1_000_000),
    storeEaxAtRdi,
    asm64.movRcx(2345),
    loop(-2),
    asm64.movRdi(APIC + APIC_REGISTERS.currentCount),
    loadEaxFromRdi,
    [0x89, 0xc3], // mov ebx, eax
    rdtsc,
    asm64.hlt,
  );
  const { vcpu, memory } = longModeGuest(ctx, code, { vm });
  const entry = new Uint8Array(8);
  new DataView(entry.buffer).setBigUint64(0, APIC_GIB, true);
  memory.write(PDPT + 24, entry);
  assert.ok(vcpu instanceof SoftwareVcpu);
  const stops: number[] = [];
  for (let end = every; ; end += every) {
    vcpu.stopAt(end);
    ctx.runTo(vcpu, 'intr');
    // Interrupts are off and no timer is armed that could wake it.
    if (vcpu.retired < end) break;
    stops.push(vcpu.retired);
  }
  const image = new Uint8Array(REGISTER_IMAGE_BYTES);
  vcpu.registerImage(image);
  return { image: Buffer.from(image).toString('hex'), retired: vcpu.retired, stops };
}

describe('a vCPU with a deterministic clock that is stopped after so many instructions', () => {
  const whole = ran(1_000_000);

  test('stops at exactly that number, and comes back from a wait that nothing would end', () => {
    const { stops, retired } = ran(97);
    assert.deepEqual(
      stops,
      stops.map((_, index) => (index + 1) * 97),
    );
    assert.equal(retired, whole.retired);
    assert.deepEqual(whole.stops, []);
  });

  for (const every of [1, 97, 1000])
    test(`computes the same with a stop each ${every}: registers, counter, the APIC's timer`, () => {
      assert.equal(ran(every).image, whole.image);
    });

  test('shows its registers by name', () => {
    using context = softwareContext({ clock: { seed: 3 } });
    const { vcpu } = longModeGuest(context.ctx, program(asm64.movRdi(LONG_DATA), asm64.hlt));
    assert.ok(vcpu instanceof SoftwareVcpu);
    context.ctx.runTo(vcpu, 'hlt');
    const image = new Uint8Array(REGISTER_IMAGE_BYTES);
    vcpu.registerImage(image);
    const regs = vcpu.getRegs();
    for (const name of ['rdi', 'rsp', 'rip', 'rflags'] as const) {
      const row = REGISTER_ROWS.find((each) => each.name === name);
      assert.ok(row !== undefined);
      assert.equal(new DataView(image.buffer).getBigUint64(row.offset, true), regs[name]);
    }
  });
});
