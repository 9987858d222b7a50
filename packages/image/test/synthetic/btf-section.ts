import { u8, u16, u32 } from './little-endian.ts';

/** A .BTF section with one `unsigned long`, one struct, and functions whose parameters all have that integer's type. */
export function btfSection(functions: Readonly<Record<string, readonly string[]>>): Buffer {
  let strings = '\0';
  const string = (text: string): number => {
    const at = strings.length;
    strings += `${text}\0`;
    return at;
  };
  const types = [
    type(string('long unsigned int'), 1, 0, 8),
    u32(64),
    type(string('pair'), 4, 2, 16),
    u32(string('first'), 1, 0, string('second'), 1, 64),
    type(0, 2, 0, 2),
  ];
  let id = 3;
  for (const [name, parameters] of Object.entries(functions)) {
    types.push(type(0, 13, parameters.length, 0), u32(...parameters.flatMap((parameter) => [string(parameter), 1])));
    types.push(type(string(name), 12, 0, id + 1));
    id += 2;
  }
  const typeBytes = Buffer.concat(types);
  const stringBytes = Buffer.from(strings, 'latin1');
  const header = Buffer.concat([
    u16(0xeb9f),
    u8(1, 0),
    u32(24, 0, typeBytes.length, typeBytes.length, stringBytes.length),
  ]);
  return Buffer.concat([header, typeBytes, stringBytes]);
}

function type(name: number, kind: number, count: number, sizeOrType: number): Buffer {
  return u32(name, (kind << 24) | count, sizeOrType);
}
