import { SEGMENT_NAMES, type SegmentState, type SystemRegisters } from './register-file.ts';

/** Reads `info registers` of QEMU's monitor, for what its gdbstub doesn't tell. Throws for a text without them. */
export function parseSystemRegisters(text: string): SystemRegisters {
  const segment = (name: string): SegmentState => {
    const found = new RegExp(`^${name} *=([0-9a-f]{4}) ([0-9a-f]+) ([0-9a-f]{8}) ([0-9a-f]{8})`, 'm').exec(text);
    if (found === null) throw new RangeError(`QEMU's registers without ${name}`);
    const [, selector = '', base = '', limit = '', flags = ''] = found;
    return {
      selector: Number.parseInt(selector, 16),
      base: BigInt(`0x${base}`),
      limit: Number.parseInt(limit, 16),
      flags: Number.parseInt(flags, 16),
    };
  };
  const table = (name: string) => {
    const found = new RegExp(`^${name}= *([0-9a-f]+) ([0-9a-f]{8})`, 'm').exec(text);
    if (found === null) throw new RangeError(`QEMU's registers without ${name}`);
    return { base: BigInt(`0x${found[1]}`), limit: Number.parseInt(found[2] ?? '', 16) };
  };
  const [es, cs, ss, ds, fs, gs] = SEGMENT_NAMES.map((name) => segment(name.toUpperCase()));
  if (
    es === undefined ||
    cs === undefined ||
    ss === undefined ||
    ds === undefined ||
    fs === undefined ||
    gs === undefined
  )
    throw new RangeError("QEMU's registers without segments");
  return {
    segments: { es, cs, ss, ds, fs, gs, ldt: segment('LDT'), tr: segment('TR') },
    gdt: table('GDT'),
    idt: table('IDT'),
  };
}
