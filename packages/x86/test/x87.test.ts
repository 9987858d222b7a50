/** The x87 and MMX: 80-bit results known from tables, the stack, exceptions that wait, and what is not built. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { layout } from '../src/index.ts';
import { CODE } from './guest/machine.ts';
import { hex, VectorMachine } from './support/vector-machine.ts';

const core = new VectorMachine();
const { machine } = core;

/** ST(0) after code that leaves one number on an empty stack. */
function top(code: string, control = 0x37f): string {
  core.load(hex(code));
  core.control(control);
  assert.equal(core.run(), -1);
  return core.register((core.status >> 11) & 7);
}

const FLD1 = 'D9 E8';
/** 3 from memory that holds it as a 16-bit integer. */
const FILD16 = 'DF 07';

/** 1 / 3 under a control word. */
function third(control: number): string {
  core.load(hex(`${FLD1} ${FILD16} DE F9`));
  core.put(3);
  core.control(control);
  assert.equal(core.run(), -1);
  return core.register(7);
}

describe('80-bit arithmetic', () => {
  test('1 / 3 at each precision', () => {
    assert.equal(third(0x37f), '3ffdaaaaaaaaaaaaaaab');
    assert.equal(third(0x27f), '3ffdaaaaaaaaaaaaa800');
    assert.equal(third(0x07f), '3ffdaaaaab0000000000');
    assert.equal(core.status & 0x3f, 0x20);
  });

  test('1 / 3 in each direction; C1 tells which way', () => {
    assert.equal(third(0x77f), '3ffdaaaaaaaaaaaaaaaa');
    assert.equal(core.status & 0x200, 0);
    assert.equal(third(0xb7f), '3ffdaaaaaaaaaaaaaaab');
    assert.equal(core.status & 0x200, 0x200);
  });

  test('the square root of 2', () => {
    assert.equal(top('D9 E8 D8 C0 D9 FA'), '3fffb504f333f9de6484');
  });

  test('constants follow the rounding control', () => {
    assert.equal(top('D9 EB'), '4000c90fdaa22168c235');
    assert.equal(top('D9 EB', 0x77f), '4000c90fdaa22168c234');
    assert.equal(top('D9 EE'), '00000000000000000000');
    assert.equal(core.status & 0x3f, 0);
  });

  test('integers come and go exactly, to 64 bits', () => {
    core.load(hex('DF 2F DF 7F 08'));
    core.put(-0x7fff_ffff_ffff_ffffn);
    assert.equal(core.run(), -1);
    assert.equal(BigInt.asIntN(64, machine.read64(Number(machine.cpu.get('rdi')) + 8)), -0x7fff_ffff_ffff_ffffn);
    assert.equal(core.status, 0);
  });

  test('FIST rounds by the control word and refuses what does not fit', () => {
    // 2.5 from a double, as 32 bits
    for (const [control, expected] of [
      [0x37f, 2n],
      [0xb7f, 3n],
    ] as const) {
      core.load(hex('DD 07 DB 1F'));
      core.put(0x4004_0000_0000_0000n);
      core.control(control);
      assert.equal(core.run(), -1);
      assert.equal(core.memory & 0xffff_ffffn, expected);
    }
    core.load(hex('DD 07 DF 1F'));
    core.put(0x40e0_0000_0000_0000n); // 32768
    assert.equal(core.run(), -1);
    assert.deepEqual([core.memory & 0xffffn, core.status & 0x3f], [0x8000n, 1]);
  });

  test('a double survives the way through a register, a signaling NaN becomes quiet', () => {
    core.load(hex('DD 07 DD 1F'));
    core.put(0x0000_0000_0000_0001n);
    assert.equal(core.run(), -1);
    assert.deepEqual([core.memory, core.status & 0x3f], [1n, 2]);
    core.load(hex('DD 07 DD 1F'));
    core.put(0x7ff0_0000_0000_0001n);
    assert.equal(core.run(), -1);
    assert.deepEqual([core.memory, core.status & 0x3f], [0x7ff8_0000_0000_0001n, 1]);
  });

  test('the remainder of numbers far apart comes in steps', () => {
    // 2^100 mod 3 = 1: fild 3; fild 100; fld1; fscale; fstp st1; then fprem while C2
    core.load(hex('DF 07 DF 47 02 D9 E8 D9 FD DD D9 D9 F8 DF E0 9E 7A F9'));
    core.put(3 | (100 << 16));
    assert.equal(core.run(), -1);
    assert.equal(core.register((core.status >> 11) & 7), '3fff8000000000000000');
  });

  test('comparisons set C3, C2 and C0, or ZF, PF and CF', () => {
    core.load(hex('D9 E8 D9 EE D8 D9 DF E0'));
    assert.equal(core.run(), -1);
    assert.equal(machine.cpu.get('rax') & 0x4500n, 0x100n);
    core.load(hex('D9 E8 D9 EE DB F1'));
    assert.equal(core.run(), -1);
    assert.equal(machine.cpu.rflags & 0x45n, 1n);
  });
});

describe('the stack', () => {
  test('a ninth load overflows: invalid, stack fault, C1, and the indefinite NaN', () => {
    core.load(hex(`${FLD1} `.repeat(9)));
    assert.equal(core.run(), -1);
    assert.equal(core.status & 0x2ff, 0x241);
    assert.equal(core.register(7), 'ffffc000000000000000');
  });

  test('an empty operand underflows with C1 clear', () => {
    core.load(hex('D9 E8 D8 C1'));
    assert.equal(core.run(), -1);
    assert.equal(core.status & 0x2ff, 0x41);
  });

  test('FNINIT empties it and masks everything', () => {
    core.load(hex('D9 E8 DB E3'));
    assert.equal(core.run(), -1);
    assert.deepEqual([machine.word(layout.FPU_CONTROL), machine.word(layout.FPU_TAG) & 0xffff], [0x37f, 0]);
  });
});

describe('exceptions', () => {
  test('an unmasked one is #MF at the next instruction that waits', () => {
    // fld1; fldz; fdivp; nop; fnstsw ax; fwait
    core.load(hex('D9 E8 D9 EE DE F9 90 DF E0 9B'));
    core.control(0x37b);
    assert.equal(core.run(), 16);
    assert.equal(machine.stack(1)[0], BigInt(CODE + 9));
    assert.equal(machine.cpu.get('rax') & 0x80ffn, 0x8084n);
    // The operands are still there.
    assert.equal(core.register(6), '00000000000000000000');
  });

  test('FNCLEX takes it back', () => {
    core.load(hex('D9 E8 D9 EE DE F9 DB E2 9B D9 E8'));
    core.control(0x37b);
    assert.equal(core.run(), -1);
  });

  test('CR0.TS: #NM, of FWAIT with CR0.MP only', () => {
    for (const [code, bits, vector] of [
      ['D9 E8', 8n, 7],
      ['DB E3', 4n, 7],
      ['9B', 10n, 7],
      ['9B', 8n, -1],
      ['0F 77', 4n, 6],
    ] as const) {
      core.load(hex(code));
      machine.cpu.set('cr0', (machine.cpu.get('cr0') & ~14n) | bits);
      assert.equal(core.run(), vector, code);
    }
  });
});

describe('the environment', () => {
  test('FNSTENV stores it with full tags and masks exceptions; FLDENV takes it back', () => {
    // fld1; fldz; fnstenv [rdi]; fnstcw [rdi+32]; fninit; fldenv [rdi]
    core.load(hex('D9 E8 D9 EE D9 37 D9 7F 20 DB E3 D9 27'));
    core.control(0x340);
    assert.equal(core.run(), -1);
    const image = Buffer.from(machine.read(Number(machine.cpu.get('rdi')), 34));
    assert.deepEqual(
      [0, 4, 8].map((at) => image.readUInt32LE(at)),
      [0xffff_0340, 0xffff_3000, 0xffff_1fff],
    );
    assert.equal(image.readUInt32LE(12), CODE + 2);
    assert.equal(image.readUInt16LE(32), 0x37f);
    assert.deepEqual([machine.word(layout.FPU_CONTROL), machine.word(layout.FPU_TAG) & 0xffff], [0x3000_0340, 0xc0]);
  });

  test('FNSAVE and FRSTOR keep the registers in stack order', () => {
    core.load(hex('D9 E8 D9 EE DD 37 DD 27'));
    assert.equal(core.run(), -1);
    const image = Buffer.from(machine.read(Number(machine.cpu.get('rdi')), 108));
    assert.equal(image.subarray(38, 48).toString('hex'), '0000000000000080ff3f');
    assert.equal(core.register(7), '3fff8000000000000000');
    assert.equal((core.status >> 11) & 7, 6);
  });
});

describe('MMX', () => {
  test('a register is the significand of an x87 register, whose exponent becomes all ones', () => {
    core.load(hex('48 0F 6E D0 0F FC D2 0F 7F 17'));
    machine.cpu.set('rax', 0x0102_0304_8506_0708n);
    assert.equal(core.run(), -1);
    assert.equal(core.memory, 0x0204_0608_0a0c_0e10n);
    assert.equal(core.register(2), 'ffff020406080a0c0e10');
    assert.equal(machine.word(layout.FPU_TAG) & 0xffff, 0xff);
  });

  test('packs and unpacks of upper halves take 64 bits', () => {
    core.load(hex('48 0F 6E C0 48 0F 6E C9 0F 6F D0 0F 63 C1 0F 68 D1'));
    machine.cpu.set('rax', 0x7fff_0001_8000_00ffn);
    machine.cpu.set('rcx', 0x0002_0003_0004_0005n);
    assert.equal(core.run(), -1);
    assert.equal(core.register(0), 'ffff020304057f01807f');
    assert.equal(core.register(2), 'ffff007f02ff00000301');
  });

  test('EMMS empties the stack', () => {
    core.load(hex('48 0F 6E C0 0F 77'));
    assert.equal(core.run(), -1);
    assert.equal(machine.word(layout.FPU_TAG) & 0xffff, 0);
  });
});

test('what is not built ends the run at the instruction', () => {
  for (const code of ['D9 FE', 'D9 F0', 'DF 37']) {
    core.load(hex(`90 ${code}`));
    assert.equal(machine.run(), layout.EXIT_UNSUPPORTED, code);
    assert.equal(machine.cpu.get('rip'), BigInt(CODE + 1));
  }
});
