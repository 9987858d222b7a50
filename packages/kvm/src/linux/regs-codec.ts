import type { DescriptorTable, Regs, Segment, Sregs } from '../port/vcpu-state.ts';
import type { Struct } from '../uapi/struct.ts';
import { DTABLE, REGS, SEGMENT, SREGS } from '../uapi/vcpu-structs.ts';

type SegmentName = 'cs' | 'ds' | 'es' | 'fs' | 'gs' | 'ss' | 'tr' | 'ldt';

const SEGMENT_NAMES: readonly SegmentName[] = ['cs', 'ds', 'es', 'fs', 'gs', 'ss', 'tr', 'ldt'];
const SEGMENT_FIELDS = ['limit', 'selector', 'type', 'present', 'dpl', 'db', 's', 'l', 'g', 'avl', 'unusable'] as const;
const CONTROL_FIELDS = ['cr0', 'cr2', 'cr3', 'cr4', 'cr8', 'efer'] as const;
const REG_NAMES = Object.keys(REGS.fields) as (keyof Regs)[];

/** struct kvm_regs → Regs. */
export function decodeRegs(from: Struct<typeof REGS.fields>): Regs {
  return {
    rax: from.getBig('rax'),
    rbx: from.getBig('rbx'),
    rcx: from.getBig('rcx'),
    rdx: from.getBig('rdx'),
    rsi: from.getBig('rsi'),
    rdi: from.getBig('rdi'),
    rsp: from.getBig('rsp'),
    rbp: from.getBig('rbp'),
    r8: from.getBig('r8'),
    r9: from.getBig('r9'),
    r10: from.getBig('r10'),
    r11: from.getBig('r11'),
    r12: from.getBig('r12'),
    r13: from.getBig('r13'),
    r14: from.getBig('r14'),
    r15: from.getBig('r15'),
    rip: from.getBig('rip'),
    rflags: from.getBig('rflags'),
  };
}

export function encodeRegs(regs: Regs, to: Struct<typeof REGS.fields>): void {
  for (const name of REG_NAMES) to.set(name, regs[name]);
}

/** struct kvm_sregs → Sregs. */
export function decodeSregs(from: Struct<typeof SREGS.fields>): Sregs {
  const bitmap = new DataView(from.bytes.buffer, from.bytes.byteOffset + SREGS.fields.interrupt_bitmap.offset, 32);
  const word = (index: number) => bitmap.getBigUint64(index * 8, true);
  return {
    cs: decodeSegment(from, 'cs'),
    ds: decodeSegment(from, 'ds'),
    es: decodeSegment(from, 'es'),
    fs: decodeSegment(from, 'fs'),
    gs: decodeSegment(from, 'gs'),
    ss: decodeSegment(from, 'ss'),
    tr: decodeSegment(from, 'tr'),
    ldt: decodeSegment(from, 'ldt'),
    gdt: decodeTable(from, 'gdt'),
    idt: decodeTable(from, 'idt'),
    cr0: from.getBig('cr0'),
    cr2: from.getBig('cr2'),
    cr3: from.getBig('cr3'),
    cr4: from.getBig('cr4'),
    cr8: from.getBig('cr8'),
    efer: from.getBig('efer'),
    apicBase: from.getBig('apic_base'),
    interruptBitmap: [word(0), word(1), word(2), word(3)],
  };
}

export function encodeSregs(sregs: Sregs, to: Struct<typeof SREGS.fields>): void {
  for (const name of SEGMENT_NAMES) encodeSegment(sregs[name], to, name);
  for (const name of ['gdt', 'idt'] as const) {
    const table = DTABLE.at(to.bytes.buffer, to.bytes.byteOffset + SREGS.fields[name].offset);
    table.set('base', sregs[name].base).set('limit', sregs[name].limit);
  }
  for (const name of CONTROL_FIELDS) to.set(name, sregs[name]);
  to.set('apic_base', sregs.apicBase);
  const bitmap = to.part('interrupt_bitmap');
  const view = new DataView(bitmap.buffer, bitmap.byteOffset, bitmap.byteLength);
  for (const [index, word] of sregs.interruptBitmap.entries()) view.setBigUint64(index * 8, word, true);
}

function decodeSegment(from: Struct<typeof SREGS.fields>, name: SegmentName): Segment {
  const at = SEGMENT.at(from.bytes.buffer, from.bytes.byteOffset + SREGS.fields[name].offset);
  return {
    base: at.getBig('base'),
    limit: at.get('limit'),
    selector: at.get('selector'),
    type: at.get('type'),
    present: at.get('present'),
    dpl: at.get('dpl'),
    db: at.get('db'),
    s: at.get('s'),
    l: at.get('l'),
    g: at.get('g'),
    avl: at.get('avl'),
    unusable: at.get('unusable'),
  };
}

function encodeSegment(segment: Segment, to: Struct<typeof SREGS.fields>, name: SegmentName): void {
  const at = SEGMENT.at(to.bytes.buffer, to.bytes.byteOffset + SREGS.fields[name].offset);
  at.set('base', segment.base);
  for (const field of SEGMENT_FIELDS) at.set(field, segment[field]);
}

function decodeTable(from: Struct<typeof SREGS.fields>, name: 'gdt' | 'idt'): DescriptorTable {
  const at = DTABLE.at(from.bytes.buffer, from.bytes.byteOffset + SREGS.fields[name].offset);
  return { base: at.getBig('base'), limit: at.get('limit') };
}
