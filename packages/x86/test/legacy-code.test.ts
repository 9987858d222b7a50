/** 16- and 32-bit code: what differs from 64-bit code in stacks, jumps and addresses. The rest is the same micro-ops. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { engineProblem } from '../src/built.ts';
import * as layout from '../src/layout.ts';
import { FlatMachine, readWord, writeWord } from './support/flat-machine.ts';

const NAMES = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'] as const;
type Registers = Partial<Record<(typeof NAMES)[number], number>>;

const hex = (text: string): Uint8Array => Uint8Array.from(text.split(' '), (byte) => Number.parseInt(byte, 16));

const linear = (segment: number, offset: number): number => 0x2_0000 + 16 * segment + offset;

/** Runs code that ends with HLT at CS:`ip`; bases of all segments are 16 × their index here, CS's is `base`. */
function run(bits: 16 | 32, code: string, registers: Registers = {}, { ip = 0x100, base = 0x1_0000 } = {}) {
  const machine = new FlatMachine();
  const { words } = machine.engine;
  machine.load(base + ip, hex(code));
  words[layout.CODE_BITS / 4] = bits;
  writeWord(words, layout.STACK_MASK, bits === 16 ? 0xffffn : 0xffff_ffffn);
  for (const segment of [layout.ES, layout.CS, layout.SS, layout.DS]) {
    writeWord(words, layout.SEG_BASE + 8 * segment, BigInt(segment === layout.CS ? base : 0x2_0000 + 16 * segment));
    words[layout.SEG_LIMIT / 4 + segment] = bits === 16 ? 0xffff : 0xffff_ffff;
    // Present, writable data or readable code.
    words[layout.SEG_RIGHTS / 4 + segment] = segment === layout.CS ? 0x9b : 0x93;
  }
  writeWord(words, layout.REGS + 8 * 4, 0x1000n);
  for (const [name, value] of Object.entries(registers))
    writeWord(words, layout.REGS + 8 * NAMES.indexOf(name as 'ax'), BigInt(value));
  writeWord(words, layout.RIP, BigInt(ip));
  assert.equal(machine.engine.run(1000), layout.EXIT_HLT);
  const get = (name: (typeof NAMES)[number]): number =>
    Number(readWord(words, layout.REGS + 8 * NAMES.indexOf(name)) & 0xffff_ffffn);
  return {
    get,
    ip: Number(readWord(words, layout.RIP)),
    word: (segment: number, offset: number): number =>
      Buffer.from(machine.read(linear(segment, offset), 2)).readUInt16LE(),
    dword: (segment: number, offset: number): number =>
      Buffer.from(machine.read(linear(segment, offset), 4)).readUInt32LE(),
  };
}

describe('16-bit code', { skip: engineProblem() ?? false }, () => {
  test('pushes words below SS:SP, doublewords with a prefix', () => {
    // push 1234h; push dword 56789abch; pop ax
    const { get, word, dword } = run(16, '68 34 12 66 68 bc 9a 78 56 58 f4');
    assert.equal(word(layout.SS, 0xffe), 0x1234);
    assert.equal(dword(layout.SS, 0xffa), 0x5678_9abc);
    assert.deepEqual([get('ax'), get('sp')], [0x9abc, 0xffc]);
  });

  test('wraps SP at 64 KiB and leaves the rest of ESP', () => {
    const { get, word } = run(16, '50 f4', { ax: 0xbeef, sp: 0x7_0000 });
    assert.equal(get('sp'), 0x7_fffe);
    assert.equal(word(layout.SS, 0xfffe), 0xbeef);
  });

  test('PUSHA and POPA keep all but what SP was', () => {
    const before = { ax: 1, cx: 2, dx: 3, bx: 4, bp: 6, si: 7, di: 8 };
    // pusha; zero ax, di; popa
    const { get, word } = run(16, '60 31 c0 31 ff 61 f4', before);
    for (const [name, value] of Object.entries(before)) assert.equal(get(name as 'ax'), value);
    assert.equal(get('sp'), 0x1000);
    assert.equal(word(layout.SS, 0x1000 - 10), 0x1000);
  });

  test('calls and returns by offset in CS', () => {
    // call +1; hlt; inc ax; ret
    const { get, ip, word } = run(16, 'e8 01 00 f4 40 c3', { ax: 1 });
    assert.deepEqual([get('ax'), ip, get('sp')], [2, 0x104, 0x1000]);
    assert.equal(word(layout.SS, 0xffe), 0x103);
  });

  test('jumps wrap IP at 64 KiB', () => {
    // jmp short +2; hlt; nop; jmp near back to the HLT
    assert.equal(run(16, 'eb 02 f4 90 e9 fb ff', {}, { ip: 0 }).ip, 3);
    // jmp short −128 from 0: below the segment's start is its end.
    const wrapped = new FlatMachine();
    const { words } = wrapped.engine;
    words[layout.CODE_BITS / 4] = 16;
    writeWord(words, layout.SEG_BASE + 8 * layout.CS, 0x1_0000n);
    writeWord(words, layout.RIP, 0n);
    wrapped.load(0x1_0000, hex('eb 80'));
    wrapped.load(0x1_0000 + 0xff82, hex('f4'));
    assert.equal(wrapped.engine.run(10), layout.EXIT_HLT);
    assert.equal(readWord(words, layout.RIP), 0xff83n);
  });

  test('LOOP counts CX, with an address prefix ECX', () => {
    // inc ax; loop
    assert.equal(run(16, '40 e2 fd f4', { cx: 0x5_0003 }).get('ax'), 3);
    assert.equal(run(16, '40 e2 fd f4', { cx: 0x5_0003 }).get('cx'), 0x5_0000);
    const wide = run(16, '40 67 e2 fc f4', { cx: 5 });
    assert.deepEqual([wide.get('ax'), wide.get('cx')], [5, 0]);
    // jcxz over a HLT
    assert.equal(run(16, 'e3 01 f4 40 f4', { cx: 0x1_0000 }).get('ax'), 1);
  });

  test('addresses wrap at 64 KiB, and BP means the stack segment', () => {
    // mov [bx+si], ax; mov [bp+2], ax
    const { word } = run(16, '89 00 89 46 02 f4', { ax: 0x4711, bx: 0xfff0, si: 0x20, bp: 0x300 });
    assert.equal(word(layout.DS, 0x10), 0x4711);
    assert.equal(word(layout.SS, 0x302), 0x4711);
  });

  test('string operations use DS:SI and ES:DI with CX', () => {
    // mov word [si], 1234h; cld; rep movsw; with one element
    const { get, word } = run(16, 'c7 04 34 12 fc f3 a5 f4', { si: 0x40, di: 0x80, cx: 0x3_0001 });
    assert.equal(word(layout.ES, 0x80), 0x1234);
    assert.deepEqual([get('si'), get('di'), get('cx')], [0x42, 0x82, 0x3_0000]);
  });

  test('ENTER and LEAVE make and drop a frame', () => {
    // enter 8, 0; mov ax, sp; leave
    const { get, word } = run(16, 'c8 08 00 00 89 e0 c9 f4', { bp: 0x777 });
    assert.deepEqual([get('ax'), get('bp'), get('sp')], [0x1000 - 10, 0x777, 0x1000]);
    assert.equal(word(layout.SS, 0xffe), 0x777);
  });
});

describe('32-bit code', { skip: engineProblem() ?? false }, () => {
  test('pushes doublewords, calls and returns', () => {
    // push 12345678h; call +1; hlt; pop eax; pop ecx; push eax; ret
    const { get, ip, dword } = run(32, '68 78 56 34 12 e8 01 00 00 00 f4 58 59 50 c3');
    assert.deepEqual([get('cx'), get('ax'), ip], [0x1234_5678, 0x10a, 0x10b]);
    assert.equal(get('sp'), 0x1000);
    assert.equal(dword(layout.SS, 0xffc), 0x10a);
  });

  test('one-byte INC and DEC, BCD-less forms and absolute moves', () => {
    // inc eax; dec ecx; mov [200h], eax; mov dx, [200h]
    const { get } = run(32, '40 49 a3 00 02 00 00 66 8b 15 00 02 00 00 f4', { ax: 0xffff_ffff, cx: 0, dx: 0x5_0000 });
    assert.deepEqual([get('ax'), get('cx'), get('dx')], [0, 0xffff_ffff, 0x5_0000]);
  });

  test('16-bit addresses with a prefix, and conditional jumps', () => {
    // mov [bx+4], al with a prefix; cmp eax, 5; jne +1; hlt; inc edx; hlt
    const { get, word } = run(32, '67 88 47 04 83 f8 05 75 01 f4 42 f4', { ax: 6, bx: 0x9_fffe });
    assert.equal(get('dx'), 1);
    assert.equal(word(layout.DS, 2) & 0xff, 6);
  });

  test('indirect jumps through memory', () => {
    // mov dword [eax], 10fh; jmp [eax]; hlt… inc ecx; hlt
    const { get, ip } = run(32, 'c7 00 0f 01 00 00 ff 20 f4 f4 f4 f4 f4 f4 f4 41 f4', { ax: 0x400, cx: 1 });
    assert.deepEqual([get('cx'), ip], [2, 0x111]);
  });
});
