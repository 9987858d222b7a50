import { padding, u16, u32, u64 } from './little-endian.ts';

export interface TestSymbol {
  readonly address: bigint;
  readonly type: string;
  readonly name: string;
}

/**
 * The ways that kernels laid their tables out: `before` until 6.3, `seqs-between` 6.2 to 6.3, `after` since 6.4 (offsets
 * after the token index), `pc-relative` since 6.19 or so. `relative` and `absolute-percpu` go with the first three.
 */
export type Layout = 'before' | 'seqs-between' | 'after' | 'pc-relative';

const COMMON = ['kvm_', '__', 'get_', 'set_', 'sys_', 'init', 'page', 'lock', 'xx', 'yy'];

/** Every character that may occur is a token of its own; the other byte values are common strings, then fillers. */
const TOKENS: readonly string[] = Array.from({ length: 256 }, (_, i) => {
  const char = String.fromCharCode(i);
  if (/[\w.$]/.test(char)) return char;
  const spare = [...Array(256).keys()].filter((n) => !/[\w.$]/.test(String.fromCharCode(n))).indexOf(i);
  return COMMON[spare] ?? `~${i.toString(16)}`;
});

function encodeName(text: string): Buffer {
  const out: number[] = [];
  for (let at = 0; at < text.length; ) {
    const long = COMMON.find((token) => text.startsWith(token, at));
    const token = long ?? text.charAt(at);
    out.push(TOKENS.indexOf(token));
    at += token.length;
  }
  // Since 6.1, a length above 127 takes two bytes.
  const length = out.length > 127 ? [(out.length & 0x7f) | 0x80, out.length >> 7] : [out.length];
  return Buffer.from([...length, ...out]);
}

/**
 * The tables of a sorted symbol list, as they lie in .rodata.
 * @param at virtual address that the result will have (a multiple of 8)
 */
export function kallsymsTables(
  symbols: readonly TestSymbol[],
  layout: Layout,
  encoding: 'relative' | 'absolute-percpu',
  at: bigint,
  alignment: 4 | 8 = 8,
): Buffer {
  const parts: Buffer[] = [];
  let length = 0;
  const emit = (bytes: Buffer, align: number): number => {
    const pad = padding(length, align);
    parts.push(pad, bytes);
    const start = length + pad.length;
    length = start + bytes.length;
    return start;
  };
  const base = symbols.find(({ address }) => address > 0xffffffffn)?.address ?? 0n;
  const relative = (): Buffer =>
    u32(
      ...symbols.map(({ address }) => {
        if (encoding === 'relative') return Number(address - base);
        return address <= 0xffffffffn ? Number(address) : Number(base - 1n - address);
      }),
    );
  const names = symbols.map(({ type, name }) => encodeName(type + name));
  const markers: number[] = [];
  let namesLength = 0;
  names.forEach((name, i) => {
    if (i % 256 === 0) markers.push(namesLength);
    namesLength += name.length;
  });
  const tokenOffsets: number[] = [];
  let tokenLength = 0;
  for (const token of TOKENS) {
    tokenOffsets.push(tokenLength);
    tokenLength += token.length + 1;
  }
  const seqs = Buffer.alloc(symbols.length * 3, 0xa5);

  // Something that is no table, as real kernels have.
  emit(Buffer.from('0\x001\x002\x00 no table\0', 'latin1'), 1);
  if (layout === 'before' || layout === 'seqs-between') {
    emit(relative(), alignment);
    emit(u64(base), 8);
  }
  emit(u32(symbols.length), alignment);
  emit(Buffer.concat(names), alignment);
  emit(u32(...markers), alignment);
  if (layout === 'seqs-between') emit(seqs, alignment);
  emit(Buffer.from(`${TOKENS.join('\0')}\0`, 'latin1'), alignment);
  emit(u16(...tokenOffsets), alignment);
  if (layout === 'after') {
    emit(relative(), alignment);
    emit(u64(base), 8);
    emit(seqs, alignment);
  }
  if (layout === 'pc-relative') {
    const start = at + BigInt(length + padding(length, alignment).length);
    emit(
      u32(...symbols.map(({ address }, i) => Number(BigInt.asIntN(32, address - start - BigInt(4 * i))))),
      alignment,
    );
    emit(seqs, alignment);
  }
  return Buffer.concat(parts);
}
