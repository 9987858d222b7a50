import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { FormatError } from '../src/format-error.ts';
import { crc64 } from '../src/kernel/payload/crc64.ts';
import { decodeLzma2, lzma2Decoder } from '../src/kernel/payload/lzma2.ts';
import { unpackPayload } from '../src/kernel/payload/unpack.ts';
import { xxh32 } from '../src/kernel/payload/xxh32.ts';
import { withSize } from './synthetic/bz-image.ts';
import { findTool, needsTool, pack } from './tools.ts';

const LIMIT = 2 ** 26;

/** Inputs that exercise different parts of a decoder. */
const INPUTS: Readonly<Record<string, Buffer>> = {
  'one byte': Buffer.of(0x55),
  'text that repeats': Buffer.from('all happy pages are alike; '.repeat(5000)),
  'zeros, longer than a block of lz4': Buffer.alloc(9 * 2 ** 20),
  noise: noise(300_000),
  'noise between repeats': Buffer.concat([noise(70_000), Buffer.alloc(70_000, 7), noise(70_000), noise(70_000)]),
  // Opcode bytes inside the operands of others: where the branch filter must hold back.
  'calls in calls': noise(200_000).map((byte) => [0xe8, 0xe9, 0x00, 0xff, 0x01][byte % 5] ?? 0) as Buffer,
  // x86 code with its calls and jumps: the branch filter's case. Node's own program is at hand everywhere.
  'x86 code': readFileSync(process.execPath).subarray(40 * 2 ** 20, 43 * 2 ** 20),
};

const PACKERS: readonly { format: string; tool: string; args: string[]; sized?: false }[] = [
  { format: 'gzip', tool: 'gzip', args: ['-9nc'], sized: false },
  { format: 'zstd', tool: 'zstd', args: ['-19', '-qc'] },
  { format: 'lz4-legacy', tool: 'lz4', args: ['-l', '-9', '-c'] },
  { format: 'lz4-legacy', tool: 'lz4', args: ['-l', '-1', '-c'] },
  { format: 'lz4', tool: 'lz4', args: ['-9', '-c'] },
  { format: 'lz4', tool: 'lz4', args: ['-1', '-BD', '-BX', '-B4', '-c'] },
  { format: 'xz', tool: 'xz', args: ['--check=crc32', '--x86', '--lzma2=dict=32MiB', '-c'] },
  { format: 'xz', tool: 'xz', args: ['--check=crc64', '-9e', '-c'] },
  { format: 'xz', tool: 'xz', args: ['--check=sha256', '--lzma2=lc=1,lp=3,pb=0', '-c'] },
  { format: 'xz', tool: 'xz', args: ['--check=none', '--x86', '--lzma2=preset=1,lc=0,lp=0,pb=4', '-c'] },
  { format: 'xz', tool: 'xz', args: ['--check=crc32', '--block-size=65536', '-T1', '-1', '-c'] },
  { format: 'lzma', tool: 'xz', args: ['--format=lzma', '-c'] },
  { format: 'bzip2', tool: 'bzip2', args: ['-9', '-c'] },
  { format: 'bzip2', tool: 'bzip2', args: ['-1', '-c'] },
  { format: 'lzo', tool: 'lzop', args: ['-9', '-c'] },
  { format: 'lzo', tool: 'lzop', args: ['-1', '-c'] },
  { format: 'lzo', tool: 'lzop', args: ['--crc32', '-c'] },
  { format: 'lzo', tool: 'lzop', args: ['-F', '-c'] },
];

describe('a payload that a reference tool packed', () => {
  for (const { format, tool, args, sized } of PACKERS)
    test(`${tool} ${args.join(' ')} is read as ${format}`, needsTool(tool), (t) => {
      t.diagnostic(`${tool} of ${findTool(tool)?.from ?? 'nowhere'}`);
      for (const [name, input] of Object.entries(INPUTS)) {
        const packed = pack(tool, args, input);
        const result = unpackPayload(sized === false ? packed : withSize(packed, input.length), LIMIT);
        assert.equal(result.format, format, name);
        assert.ok(input.equals(result.image), `${name}: other bytes came out`);
      }
    });

  test('LZMA2 chunks may begin a new dictionary in the middle', needsTool('xz'), () => {
    // The byte before a dictionary's first is 0, not 0xff: a decoder that looks back goes astray.
    const sentence = INPUTS['text that repeats'] ?? Buffer.alloc(0);
    const halves = [Buffer.concat([sentence, Buffer.of(0xff)]), sentence, noise(5001)];
    const raw = halves.map((half) => pack('xz', ['--format=raw', '--lzma2=preset=6,pb=4,lp=2,lc=2', '-c'], half));
    // Each ends with the end chunk, one zero byte; only the last one may.
    const joined = Buffer.concat([...raw.map((bytes) => bytes.subarray(0, -1)), Buffer.of(0)]);
    const wanted = Buffer.concat(halves);
    const decoder = lzma2Decoder(wanted.length + 3);
    const { out } = decoder;
    assert.deepEqual(decodeLzma2(decoder, joined, 0, joined.length, 3), { pos: joined.length, done: out.length });
    assert.ok(wanted.equals(out.subarray(3)));
  });

  test('an x86 filter with a start address is undone with that address', needsTool('xz'), () => {
    const input = INPUTS['x86 code'] ?? Buffer.alloc(0);
    const packed = pack('xz', ['--check=crc32', '--x86=start=4096', '--lzma2=preset=1', '-c'], input);
    assert.ok(input.equals(unpackPayload(withSize(packed, input.length), LIMIT).image));
  });

  test('another filter than x86 is refused by its number', needsTool('xz'), () => {
    const packed = pack('xz', ['--delta=dist=4', '--lzma2=preset=1', '-c'], Buffer.alloc(100));
    rejects(() => unpackPayload(withSize(packed, 100), LIMIT), 'unsupported', /filter 0x3 /);
  });
});

describe('a payload that is not as it should be', () => {
  const text = INPUTS['text that repeats'] ?? Buffer.alloc(0);
  const zstd = withSize(zstdCompressSync(text), text.length);

  test('one that announces more than the limit is not unpacked', () => {
    rejects(() => unpackPayload(zstd, text.length - 1), 'over-budget', /unpacks to 135000 bytes, 134999 are allowed/);
  });

  test('one that unpacks to more or less than it announces is refused', () => {
    for (const size of [text.length - 1, text.length + 1, 1])
      rejects(() => unpackPayload(withSize(zstdCompressSync(text), size), LIMIT), 'malformed');
    const gzip = gzipSync(text);
    gzip.writeUInt32LE(text.length + 1, gzip.length - 4);
    rejects(() => unpackPayload(gzip, LIMIT), 'malformed');
  });

  test('unknown magics are refused by their bytes', () => {
    rejects(() => unpackPayload(Buffer.from('what is it?'), LIMIT), 'unsupported', /magic 776861742069/);
    rejects(() => unpackPayload(Buffer.alloc(0), LIMIT), 'unsupported');
  });

  test('a wrong checksum is found in xz and in lz4 frames', needsTool('xz'), () => {
    for (const check of ['crc32', 'crc64', 'sha256']) {
      const packed = pack('xz', [`--check=${check}`, '-c'], text);
      // The check stands before the index (which begins with a zero byte) and the 12-byte footer.
      const footer = packed.length - 12;
      const indexSize = (packed.readUInt32LE(footer + 4) + 1) * 4;
      packed[footer - indexSize - 1] = (packed[footer - indexSize - 1] ?? 0) ^ 1;
      rejects(() => unpackPayload(withSize(packed, text.length), LIMIT), 'malformed', /xz check/);
    }
  });

  test('a wrong content checksum is found in lz4 frames', needsTool('lz4'), () => {
    const packed = pack('lz4', ['-c'], text);
    packed[packed.length - 1] = (packed[packed.length - 1] ?? 0) ^ 1;
    rejects(() => unpackPayload(withSize(packed, text.length), LIMIT), 'malformed', /content checksum/);
  });

  test('a wrong checksum is found in bzip2, of a block and of the stream', needsTool('bzip2'), () => {
    const packed = pack('bzip2', ['-c'], text);
    // The first block's checksum stands after the stream's header and the block's magic.
    const block = Buffer.from(packed);
    block[10] = (block[10] ?? 0) ^ 1;
    rejects(() => unpackPayload(withSize(block, text.length), LIMIT), 'malformed', /bzip2 block.*checksum/);
    // The stream's is in the last five bytes, after bits that align it.
    const stream = Buffer.from(packed);
    stream[stream.length - 3] = (stream[stream.length - 3] ?? 0) ^ 1;
    rejects(() => unpackPayload(withSize(stream, text.length), LIMIT), 'malformed', /bzip2 stream.*checksum/);
  });

  test('a wrong checksum is found in lzop files, of either kind, and in their header', needsTool('lzop'), () => {
    for (const kind of [[], ['--crc32']]) {
      const packed = pack('lzop', [...kind, '-c'], text);
      const header = Buffer.from(packed);
      header[30] = (header[30] ?? 0) ^ 1;
      rejects(() => unpackPayload(withSize(header, text.length), LIMIT), 'malformed', /lzop header/);
      // Behind the block's two sizes; a name of no characters makes the header 38 bytes long.
      const block = Buffer.from(packed);
      block[47] = (block[47] ?? 0) ^ 1;
      rejects(() => unpackPayload(withSize(block, text.length), LIMIT), 'malformed', /lzop block/);
    }
  });

  test('an lz4 match that leads before the start is refused', () => {
    // One literal, then a match at distance 2.
    const block = Buffer.of(0x10, 0x41, 0x02, 0x00, 0x10, 0x42);
    const frame = Buffer.concat([Buffer.of(0x02, 0x21, 0x4c, 0x18, block.length, 0, 0, 0), block]);
    rejects(() => unpackPayload(withSize(frame, 6), LIMIT), 'malformed', /before the window/);
  });
});

describe('checksums', () => {
  test('agree with the published vectors', () => {
    assert.equal(crc64(Buffer.from('123456789')), 0x995dc9bbdf1939fan);
    assert.equal(xxh32(Buffer.alloc(0)), 0x02cc5d05);
    assert.equal(xxh32(Buffer.from('abc')), 0x32d153ff);
    assert.equal(xxh32(Buffer.from('Nobody inspects the spammish repetition')), 0xe2293b2f);
  });
});

function rejects(call: () => unknown, kind: string, message = /./): void {
  assert.throws(call, (error) => {
    assert.ok(error instanceof FormatError, String(error));
    assert.equal(error.kind, kind, error.message);
    assert.match(error.message, message);
    return true;
  });
}

/** The same bytes in every run; nothing can be packed. */
function noise(length: number): Buffer {
  const out = Buffer.alloc(length);
  let state = 0x12345678;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    out[i] = state >>> 24;
  }
  return out;
}
