import { FormatError } from '../../format-error.ts';
import { DECODERS } from './generated/decoders.ts';

/** What assembly/ exports. Addresses are of its own memory; the results are RESULT's. */
interface Decoders {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  decodeLzma(from: number, to: number, at: number, limit: number): number;
  decodeLz4(from: number, to: number, at: number, limit: number, window: number): number;
}

/** The part of the WebAssembly JavaScript interface that is used here: TypeScript ships it with the DOM only. */
interface Compiler {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}

const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: Compiler };
const PAGE = 65_536;
/** Words that the decoders keep for themselves and for us: assembly/call.ts has the same. */
const STATE = 1024;
const WORDS = 13;
const WORD = { endPos: 9, endDst: 10, distance: 12 } as const;
const RESULT = { done: 0, cut: 1, tooFar: 2, tooLong: 3 } as const;
/** Where what else a decoder needs begins. */
const TABLES = 4096;
/** Decoders look at the end of their input once a symbol, which is fewer bytes, and write by words. */
const SLACK = 32;

let compiled: object | undefined;

export interface UnpackSizes {
  /** Bytes that come out. */
  readonly unpacked: number;
  /** Packed bytes that one call takes, at most. */
  readonly packed: number;
  /** Words of 16 bits that a decoder wants besides. */
  readonly table: number;
}

/** What a call is about, for its errors: 'lzma', 'lz4'. */
export type Decoder = 'lzma' | 'lz4';

/** Memory that the compiled decoders work in: a table, room for packed bytes, and the output. */
export class UnpackMemory {
  /** What has been unpacked, and room for the rest. */
  readonly out: Buffer;
  readonly words: Int32Array;
  readonly table: Uint16Array;
  readonly #decoders: Decoders;
  readonly #input: Uint8Array;

  /** @throws FormatError over-budget where there is not so much memory */
  constructor({ unpacked, packed, table }: UnpackSizes) {
    const input = align(TABLES + 2 * table);
    const out = align(input + packed + SLACK);
    compiled ??= new WebAssembly.Module(Buffer.from(DECODERS, 'base64'));
    this.#decoders = new WebAssembly.Instance(compiled).exports as Decoders;
    const { memory } = this.#decoders;
    try {
      memory.grow(Math.ceil((out + unpacked + SLACK) / PAGE));
    } catch {
      throw new FormatError('over-budget', 'payload', 0, `no memory for ${unpacked} bytes`);
    }
    this.words = new Int32Array(memory.buffer, STATE, WORDS);
    this.table = new Uint16Array(memory.buffer, TABLES, table);
    this.#input = new Uint8Array(memory.buffer, input, packed);
    this.out = Buffer.from(memory.buffer, out, unpacked);
  }

  /**
   * Decodes `input[from, to)` to the output at `at`, not beyond `limit`.
   * @param skipped bytes of it that the decoder doesn't want
   * @param window for LZ4: where matches may reach back to in the output
   * @returns where it ended in the input and in the output
   * @throws FormatError truncated, malformed, over-budget; also where `input[from, to)` is more than one call takes
   */
  decode(
    decoder: Decoder,
    input: Uint8Array,
    { from, to, at, limit, skipped = 0, window = 0 }: Stretch,
  ): { readonly pos: number; readonly done: number } {
    if (to - from > this.#input.length)
      throw new FormatError('malformed', `${decoder} block`, from, `${to - from} bytes are more than it can have`);
    this.#input.set(input.subarray(from, to));
    const base = this.#input.byteOffset;
    const { byteOffset } = this.out;
    const [first, end] = [base + skipped, base + to - from];
    const result =
      decoder === 'lzma'
        ? this.#decoders.decodeLzma(first, end, byteOffset + at, byteOffset + limit)
        : this.#decoders.decodeLz4(first, end, byteOffset + at, byteOffset + limit, byteOffset + window);
    const pos = this.#word(WORD.endPos) - base + from;
    switch (result) {
      case RESULT.cut:
        throw new FormatError('truncated', `${decoder} stream`, pos, 'ends inside a symbol');
      case RESULT.tooFar:
        throw new FormatError(
          'malformed',
          `${decoder} match`,
          pos,
          `distance ${this.#word(WORD.distance)} leads before the window`,
        );
      case RESULT.tooLong:
        throw new FormatError('over-budget', `${decoder} stream`, pos, 'unpacks to more than the announced size');
      default:
        return { pos, done: this.#word(WORD.endDst) - byteOffset };
    }
  }

  #word(index: number): number {
    return (this.words[index] as number) >>> 0;
  }
}

export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly at: number;
  readonly limit: number;
  readonly skipped?: number;
  readonly window?: number;
}

function align(offset: number): number {
  return (offset + 15) & ~15;
}
