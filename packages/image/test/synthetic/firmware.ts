/** A small file with the shape of OVMF's flash image: code, a packed volume, lists of sections, the table of GUIDs. */
import { u8, u32 } from './little-endian.ts';

export interface FirmwareTraits {
  readonly sevCode?: boolean;
  readonly esEntry?: boolean;
  readonly esCode?: boolean;
  readonly snpSections?: readonly number[] | 'none';
  readonly snpCode?: boolean;
  readonly tdx?: boolean;
  readonly tdxCode?: boolean;
  readonly hashes?: 'place' | 'empty' | 'none';
  readonly volume?: 'plain' | 'hypercall' | 'other-hypercall' | 'variable' | 'none' | 'broken' | 'huge';
  /** False: one entry in the place of the table, as before the table came. */
  readonly footer?: boolean;
  readonly broken?: 'size' | 'sev-distance' | 'sev-count';
}

const LZMA = '98584eee143959429d6edc7bd79403cf';
const FOOTER = 'de82b596b21ff745baeaa366c55a082d';
const SEV_ES = 'de71f7007e1acb4f890e68c77e2fb44e';
const HASHES = '1f3755723b3a044b927b1da6efa8d454';
const SEV = '6665 88dc4a9898 47a75e5585a7bf67cc'.replaceAll(' ', '');
const TDX = '35657ae44a989847865e4685a7bf8ec2';

export function syntheticFirmware(traits: FirmwareTraits): Buffer {
  const { snpSections = [1, 2, 3], hashes = 'place' } = traits;
  const code = Buffer.concat([
    (traits.sevCode ?? true) ? u8(0xb8, 0x1f, 0, 0, 0x80, 0x0f, 0xa2, 0xb9, 0x31, 1, 1, 0xc0) : u8(),
    (traits.esCode ?? true) ? u8(0xf3, 0x0f, 0x01, 0xd9) : u8(),
    (traits.snpCode ?? true) ? u8(0xf2, 0x0f, 0x01, 0xff) : u8(),
    (traits.tdxCode ?? true) ? u8(0x66, 0x0f, 0x01, 0xcc) : u8(),
  ]);
  const sev =
    snpSections === 'none'
      ? u8()
      : Buffer.concat([
          Buffer.from('ASEV'),
          u32(16 + 12 * snpSections.length, 1, traits.broken === 'sev-count' ? 63 : snpSections.length),
          ...snpSections.map((type) => u32(0x800000, 0x1000, type)),
        ]);
  const tdx =
    traits.tdx === false
      ? u8()
      : Buffer.concat([
          Buffer.from('TDVF'),
          u32(16 + 64, 1, 2),
          u32(0, 0x1000, 0xffc00000, 0, 0x1000, 0, 0, 1),
          u32(0, 0, 0x809000, 0, 0x2000, 0, 2, 0),
        ]);
  const start = Buffer.concat([Buffer.alloc(32), volume(traits.volume ?? 'plain'), code]);
  const listsAt = start.length;
  const entries: Buffer[] = [];
  // What lies behind is of a fixed size: the lists' distance from the end is known only with it.
  const build = (end: number): Buffer => {
    entries.length = 0;
    if (tdx.length > 0) entries.push(entry(u32(end - listsAt - sev.length), TDX));
    if (sev.length > 0) entries.push(entry(u32(traits.broken === 'sev-distance' ? 0x7fffffff : end - listsAt), SEV));
    if (traits.broken === 'size') entries.push(entry(u32(0), SEV, 9));
    if (hashes !== 'none') entries.push(entry(hashes === 'empty' ? u32(0, 0) : u32(0x810c00, 0x400), HASHES));
    if (traits.esEntry ?? true) entries.push(entry(u32(0x80b004), SEV_ES));
    const table = Buffer.concat(entries);
    const tail = (traits.footer ?? true) ? entry(u8(), FOOTER, table.length + 18) : u8();
    return Buffer.concat([start, sev, tdx, Buffer.alloc(64), table, tail, Buffer.alloc(32)]);
  };
  return build(build(0).length);
}

function entry(data: Buffer, guid: string, size = data.length + 18): Buffer {
  return Buffer.concat([data, u8(size & 0xff, size >> 8), Buffer.from(guid, 'hex')]);
}

/** A section that is packed with LZMA: stored as literals by an encoder that knows nothing else. */
function volume(kind: NonNullable<FirmwareTraits['volume']>): Buffer {
  if (kind === 'none') return u8();
  const content = {
    plain: Buffer.from('nothing of the kind'),
    broken: Buffer.from('nothing of the kind'),
    huge: Buffer.from('nothing of the kind'),
    hypercall: u8(0xb8, 12, 0, 0, 0, 0x0f, 0x01, 0xd9, 0xc3),
    'other-hypercall': u8(0xb8, 11, 0, 0, 0, 0x0f, 0x01, 0xd9, 0xc3),
    variable: Buffer.from('SevLiveMigrationEnabled', 'utf16le'),
  }[kind];
  const packed = lzmaLiterals(content);
  if (kind === 'broken') packed.fill(0xff, 13);
  if (kind === 'huge') packed.writeUInt32LE(1, 9);
  const size = 24 + packed.length;
  return Buffer.concat([u8(size & 0xff, size >> 8, 0, 2), Buffer.from(LZMA, 'hex'), u8(24, 0, 1, 0), packed]);
}

/** The .lzma format with literals only: a range coder whose every decision is 'no match', and bits by adaptive trees. */
function lzmaLiterals(content: Buffer): Buffer {
  const coder = new RangeCoder();
  // lc = 0, lp = 0, pb = 0: one context each.
  const isMatch = { probability: 1024 };
  const literal = Array.from({ length: 256 }, () => ({ probability: 1024 }));
  for (const byte of content) {
    coder.bit(isMatch, 0);
    for (let i = 7, node = 1; i >= 0; i--) {
      const bit = (byte >> i) & 1;
      coder.bit(literal[node] ?? isMatch, bit);
      node = node * 2 + bit;
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt8(0, 0);
  header.writeUInt32LE(4096, 1);
  header.writeUInt32LE(content.length, 5);
  return Buffer.concat([header, coder.finish()]);
}

class RangeCoder {
  #low = 0;
  #range = 0xffffffff;
  #cache = 0;
  #pending = 1;
  readonly #out: number[] = [];

  bit(context: { probability: number }, bit: number): void {
    const bound = Math.floor(this.#range / 2048) * context.probability;
    if (bit === 0) {
      this.#range = bound;
      context.probability += (2048 - context.probability) >> 5;
    } else {
      this.#low += bound;
      this.#range -= bound;
      context.probability -= context.probability >> 5;
    }
    while (this.#range < 2 ** 24) {
      this.#range *= 256;
      this.#shift();
    }
  }

  finish(): Buffer {
    for (let i = 0; i < 5; i++) this.#shift();
    return Buffer.from(this.#out);
  }

  #shift(): void {
    if (this.#low < 0xff000000 || this.#low >= 2 ** 32) {
      const carry = this.#low >= 2 ** 32 ? 1 : 0;
      for (; this.#pending > 0; this.#pending--) {
        this.#out.push((this.#cache + carry) & 0xff);
        this.#cache = 0xff;
      }
      this.#cache = Math.floor(this.#low / 2 ** 24) & 0xff;
    }
    this.#pending++;
    this.#low = (this.#low % 2 ** 24) * 256;
  }
}
