/** SSE and SSE2: results that the manuals' descriptions give by hand, exceptions, and who may use them. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { layout } from '../src/index.ts';
import { DATA, hex, VectorMachine } from './support/vector-machine.ts';

const core = new VectorMachine();
const { machine } = core;

/** XMM0 after `code` with these in XMM0 and XMM1, nothing raised. */
function result(code: string, first: string, second: string): string {
  core.load(hex(code));
  core.setXmm(0, first);
  core.setXmm(1, second);
  assert.equal(core.run(), -1);
  return core.xmm(0);
}

/** The same of packed or scalar floats, with the flags that MXCSR got. */
function floats(code: string, first: string, second: string, mxcsr = 0x1f80): [string, number] {
  core.load(hex(code));
  core.setXmm(0, first);
  core.setXmm(1, second);
  core.mxcsr = mxcsr;
  assert.equal(core.run(), -1);
  return [core.xmm(0), core.mxcsr & 0x3f];
}

const A = '8000ff0180017fff0000ffff00ff0100';
const B = '00010203040506070809fffeff010001';
const single = (bits: string): string => bits.padStart(32, '0');

describe('packed integers', () => {
  for (const [name, code, expected] of [
    ['paddb', '66 0F FC C1', '80010104840685060809fefdff000101'],
    ['paddusw', '66 0F DD C1', '8001ffff840686060809ffffffff0101'],
    ['psubsw', '66 0F E9 C1', '8000fcfe800079f8f7f7000101fe00ff'],
    ['pcmpgtw', '66 0F 65 C1', '000000000000ffff0000ffffffffffff'],
    ['pmulhw', '66 0F E5 C1', 'fffffffdfdfd030300000000ffff0000'],
    ['pmaddwd', '66 0F F5 C1', 'fffd7f030100fdfe00000002ffff02ff'],
    ['pmuludq', '66 0F F4 C1', '0202890b050579f900fe02fe01ff0100'],
    ['psadbw', '66 0F F6 C1', '00000000000003710000000000000211'],
    ['pavgw', '66 0F E3 C1', '40018082420343030405ffff80000081'],
    ['packuswb', '66 0F 67 C1', '01ffffffff000001000000ff0000ffff'],
    ['punpcklbw', '66 0F 60 C1', '08000900fffffeffff0001ff00010100'],
    ['pshufd 1B', '66 0F 70 C1 1B', 'ff0100010809fffe0405060700010203'],
    ['shufps 1B', '0F C6 C1 1B', 'ff0100010809fffe80017fff8000ff01'],
    ['psraw 4', '66 0F 71 E0 04', 'f800fff0f80007ff0000ffff000f0010'],
    ['psllw 16: a count beyond the element empties it', '66 0F 71 F0 10', '0'.repeat(32)],
    ['psrldq 3', '66 0F 73 D8 03', '0000008000ff0180017fff0000ffff00'],
  ] as const)
    test(name, () => assert.equal(result(code, A, B), expected));
});

describe('moves', () => {
  test('a scalar load clears the rest of the register, a move between registers keeps it', () => {
    core.load(hex('F3 0F 10 07 F3 0F 10 CA'));
    core.put(0x1111_1111_2222_2222n);
    core.setXmm(0, A);
    core.setXmm(1, A);
    core.setXmm(2, B);
    assert.equal(core.run(), -1);
    assert.deepEqual([core.xmm(0), core.xmm(1)], [single('22222222'), `${A.slice(0, 24)}ff010001`]);
  });

  test('MOVD and MOVQ to general registers zero-extend', () => {
    core.load(hex('66 0F 7E C0 66 48 0F 7E C9'));
    core.setXmm(0, 'f'.repeat(32));
    core.setXmm(1, A);
    assert.equal(core.run(), -1);
    assert.deepEqual([machine.cpu.get('rax'), machine.cpu.get('rcx')], [0xffff_ffffn, BigInt(`0x${A.slice(16)}`)]);
  });

  test('MASKMOVDQU stores the selected bytes only', () => {
    core.load(hex('66 0F F7 C1'));
    core.put(0x5555_5555_5555_5555n);
    core.setXmm(0, A);
    core.setXmm(1, single('80007f80'));
    assert.equal(core.run(), -1);
    assert.equal(core.memory, 0x5555_5555_0055_5500n);
  });

  test('aligned forms refuse a misaligned address with #GP(0), unaligned ones take it', () => {
    core.load(hex('48 FF C7 66 0F 6F 07'));
    assert.equal(core.run(), 13);
    assert.equal(machine.stack(1)[0], 0n);
    for (const code of ['48 FF C7 66 0F 7F 07', '48 FF C7 0F 58 07', '48 FF C7 0F 2B 07'])
      assert.equal(core.does(hex(code)), 13, code);
    assert.equal(core.does(hex('48 FF C7 F3 0F 6F 07')), -1);
  });

  test('a store across two pages writes nothing where the second one is missing', () => {
    core.load(hex('48 81 C7 F8 0F 00 00 F3 0F 7F 07'));
    core.setXmm(0, A);
    machine.write64(machine.entryOf(DATA + 0x1000), 0n);
    assert.equal(core.run(), 14);
    assert.equal(machine.cpu.get('cr2'), BigInt(DATA + 0x1000));
    assert.equal(machine.read64(DATA + 0xff8), 0n);
  });

  test('an access across two pages reads and writes both', () => {
    core.load(hex('48 81 C7 F8 0F 00 00 F3 0F 6F 0F F3 0F 7F 07'));
    core.setXmm(0, A);
    machine.write64(DATA + 0xff8, 0x0102_0304_0506_0708n);
    machine.write64(DATA + 0x1000, 0x1112_1314_1516_1718n);
    assert.equal(core.run(), -1);
    assert.equal(core.xmm(1), '11121314151617180102030405060708');
    assert.equal(machine.read64(DATA + 0xff8), BigInt(`0x${A.slice(16)}`));
    assert.equal(machine.read64(DATA + 0x1000), BigInt(`0x${A.slice(0, 16)}`));
  });
});

describe('floating point', () => {
  const ONE = single('3f800000');
  const THREE = single('40400000');

  test('1 / 3 is rounded as MXCSR says, and inexact', () => {
    for (const [mode, bits] of [
      [0, '3eaaaaab'],
      [1, '3eaaaaaa'],
      [2, '3eaaaaab'],
      [3, '3eaaaaaa'],
    ] as const)
      assert.deepEqual(floats('F3 0F 5E C1', ONE, THREE, 0x1f80 | (mode << 13)), [single(bits), 0x20]);
  });

  test('an exact result raises nothing, also once the flags were cleared', () => {
    assert.deepEqual(floats('F3 0F 58 C1', ONE, THREE), [single('40800000'), 0]);
  });

  test('a NaN keeps its payload and becomes quiet; of two the first one counts', () => {
    assert.deepEqual(floats('F3 0F 58 C1', single('7f812345'), THREE), [single('7fc12345'), 1]);
    assert.deepEqual(floats('F3 0F 58 C1', ONE, single('ffc00007')), [single('ffc00007'), 0]);
    assert.deepEqual(floats('F3 0F 5C C1', single('7fc00001'), single('7f800002')), [single('7fc00001'), 1]);
  });

  test('an invalid operation yields the negative quiet NaN', () => {
    assert.deepEqual(floats('F3 0F 5C C1', single('7f800000'), single('7f800000')), [single('ffc00000'), 1]);
    assert.deepEqual(floats('F2 0F 51 C1', '0', single('bff0000000000000')), [single('fff8000000000000'), 1]);
  });

  test('MIN and MAX give the second operand for NaNs and equal zeros', () => {
    assert.deepEqual(floats('F3 0F 5D C1', single('7fc00001'), THREE), [THREE, 1]);
    assert.deepEqual(floats('F3 0F 5D C1', ONE, single('7f800001')), [single('7f800001'), 1]);
    assert.deepEqual(floats('F3 0F 5F C1', '0', single('80000000')), [single('80000000'), 0]);
  });

  test('underflow and denormal operands are told; DAZ and FZ take them for zero', () => {
    const tiny = single('00800000');
    const half = single('3f000001');
    assert.deepEqual(floats('F3 0F 59 C1', tiny, half), [single('00400000'), 0x30]);
    assert.deepEqual(floats('F3 0F 59 C1', tiny, half, 0x9f80), ['0'.repeat(32), 0x30]);
    assert.deepEqual(floats('F3 0F 58 C1', single('00000001'), ONE), [ONE, 0x22]);
    assert.deepEqual(floats('F3 0F 58 C1', single('00000001'), ONE, 0x1fc0), [ONE, 0]);
  });

  test('conversions to integers round by MXCSR, those with a second T towards zero', () => {
    const value = single('c00c000000000000'); // -3.5
    for (const [mode, expected] of [
      [0, -4],
      [1, -4],
      [2, -3],
      [3, -3],
    ] as const) {
      floats('F2 0F 2D C1 F2 0F 2C C9', '0', value, 0x1f80 | (mode << 13));
      assert.equal(Number(BigInt.asIntN(32, machine.cpu.get('rax'))), expected);
      assert.equal(Number(BigInt.asIntN(32, machine.cpu.get('rcx'))), -3);
    }
  });

  test('an integer that does not fit is the most negative one, and invalid', () => {
    const [, flags] = floats('F2 48 0F 2C C1', '0', single('43e0000000000000')); // 2^63
    assert.deepEqual([machine.cpu.get('rax'), flags], [1n << 63n, 1]);
  });

  test('a 64-bit integer becomes a single with one rounding', () => {
    core.load(hex('F3 48 0F 2A C0'));
    machine.cpu.set('rax', 0x4000_0040_0000_0001n);
    assert.equal(core.run(), -1);
    assert.equal(core.xmm(0), single('5e800001'));
  });

  test('comparisons: predicates, and flags for unordered operands', () => {
    assert.deepEqual(floats('F3 0F C2 C1 01', ONE, THREE), [single('ffffffff'), 0]);
    assert.deepEqual(floats('F3 0F C2 C1 04', ONE, single('7fc00000')), [single('ffffffff'), 0]);
    assert.deepEqual(floats('F3 0F C2 C1 01', ONE, single('7fc00000')), [single('0'), 1]);
    assert.equal(floats('0F 2E C1', ONE, single('7fc00000'))[1], 0);
    assert.equal(machine.cpu.rflags & 0x8d5n, 0x45n);
    assert.equal(floats('0F 2F C1', ONE, single('7fc00000'))[1], 1);
    floats('0F 2F C1', ONE, THREE);
    assert.equal(machine.cpu.rflags & 0x8d5n, 1n);
  });

  test('approximations are within the promised error and raise nothing', () => {
    for (const [code, exact] of [
      ['F3 0F 53 C1', 1 / 3],
      ['F3 0F 52 C1', 1 / Math.sqrt(3)],
    ] as const) {
      const [bits, flags] = floats(code, '0', THREE);
      const value = Buffer.from(bits.slice(24), 'hex').readFloatBE();
      assert.ok(Math.abs(value / exact - 1) <= 1.5 * 2 ** -12);
      assert.equal(flags, 0);
    }
  });

  test('an unmasked exception is #XM: the flag is set, the destination as it was', () => {
    core.load(hex('F3 0F 5E C1'));
    core.setXmm(0, ONE);
    core.mxcsr = 0x1d80;
    assert.equal(core.run(), 19);
    assert.deepEqual([core.xmm(0), core.mxcsr], [ONE, 0x1d84]);
  });

  test('without CR4.OSXMMEXCPT it is #UD', () => {
    core.load(hex('F3 0F 5E C1'));
    core.setXmm(0, ONE);
    core.mxcsr = 0x1d80;
    machine.cpu.set('cr4', machine.cpu.get('cr4') & ~0x400n);
    assert.equal(core.run(), 6);
  });
});

describe('state', () => {
  test('LDMXCSR refuses reserved bits, STMXCSR tells what was loaded', () => {
    core.load(hex('0F AE 17'));
    core.put(0x1_1f80);
    assert.equal(core.run(), 13);
    core.load(hex('0F AE 17 0F AE 5F 04'));
    core.put(0xffc0);
    assert.equal(core.run(), -1);
    assert.equal(core.memory, 0xffc0_0000_ffc0n);
  });

  for (const [name, change, vector] of [
    ['CR0.TS: #NM', (): void => machine.cpu.set('cr0', machine.cpu.get('cr0') | 8n), 7],
    ['CR0.EM: #UD', (): void => machine.cpu.set('cr0', machine.cpu.get('cr0') | 4n), 6],
    ['no CR4.OSFXSR: #UD', (): void => machine.cpu.set('cr4', machine.cpu.get('cr4') & ~0x200n), 6],
  ] as const)
    test(name, () => {
      core.load(hex('66 0F EF C0'));
      change();
      assert.equal(core.run(), vector);
    });

  test('MOVNTI asks for none of that', () => {
    core.load(hex('48 0F C3 07'));
    machine.cpu.set('cr0', machine.cpu.get('cr0') | 12n);
    machine.cpu.set('rax', 0x1122_3344_5566_7788n);
    assert.equal(core.run(), -1);
    assert.equal(core.memory, 0x1122_3344_5566_7788n);
  });

  test('FXSAVE64 lays the state out as documented, and FXRSTOR64 takes it back', () => {
    // fld1; movups to XMM15; fxsave64 [rdi]; fninit; xorps; fxrstor64 [rdi]
    core.load(hex('D9 E8 44 0F 10 3F 48 0F AE 07 DB E3 45 0F 57 FF 48 0F AE 0F'));
    core.put(0x1122_3344_5566_7788n);
    core.mxcsr = 0x1fa0;
    assert.equal(core.run(), -1);
    const image = Buffer.from(machine.read(DATA, 416));
    assert.equal(image.readUInt16LE(0), 0x37f);
    assert.equal(image.readUInt16LE(2), 7 << 11);
    assert.equal(image[4], 0x80);
    assert.deepEqual([image.readUInt32LE(24), image.readUInt32LE(28)], [0x1fa0, 0xffff]);
    assert.equal(image.subarray(32, 48).toString('hex'), '0000000000000080ff3f000000000000');
    assert.equal(image.readBigUInt64LE(160 + 15 * 16), 0x1122_3344_5566_7788n);
    assert.equal(core.xmm(15), single('1122334455667788'));
    assert.deepEqual([core.status, machine.word(layout.FPU_TAG) & 0xffff], [7 << 11, 0x80]);
  });

  test('FXRSTOR refuses reserved bits of MXCSR before it loads anything', () => {
    core.load(hex('0F AE 0F'));
    core.put(0x37e);
    core.put(0x1_0000, 4, 24);
    core.setXmm(0, A);
    assert.equal(core.run(), 13);
    assert.deepEqual([core.xmm(0), machine.word(layout.FPU_CONTROL) & 0xffff], [A, 0x37f]);
  });

  test('FXSAVE refuses a misaligned address, and a lazily switched FPU', () => {
    assert.equal(core.does(hex('48 FF C7 0F AE 07')), 13);
    core.load(hex('0F AE 07'));
    machine.cpu.set('cr0', machine.cpu.get('cr0') | 8n);
    assert.equal(core.run(), 7);
  });

  test('FXSAVE across two pages writes nothing where the second one is missing', () => {
    core.load(hex('48 81 C7 00 0F 00 00 0F AE 07'));
    machine.write64(machine.entryOf(DATA + 0x1000), 0n);
    assert.equal(core.run(), 14);
    assert.equal(machine.read64(DATA + 0xf00), 0n);
  });
});
