import { Decoder, DecoderError, DecoderOptions, Instruction } from 'iced-x86';
import { lower } from './decode/lower.ts';
import { TraceWriter } from './decode/trace-writer.ts';
import * as layout from './layout.ts';
import { OP_CROSS, OP_GOTO, OP_NEXT_PAGE, OP_RESYNC, OP_STOP, OP_UD, OP_UNSUPPORTED } from './ops/integer.ts';

const PAGE = 4096;
const LONGEST_INSTRUCTION = 15;
/** Instructions of one trace: bounds how far a run overshoots its budget. */
export const LONGEST_TRACE = 64;
/** Micro-ops that one trace may take at most, with what ends it. */
const TRACE_ROOM = (LONGEST_TRACE * 4 + 4) * layout.UOP_BYTES;
/** Granularity in which writes to a code page are told from writes to code, in bytes. */
const CHUNK_BITS = 6;

type Bits = 16 | 32 | 64;

/** A host frame some of whose bytes were decoded. */
interface CodePage {
  readonly frame: number;
  readonly bits: Bits;
  /** Address of its jump table. */
  readonly table: number;
  /**
   * Over a copy of the frame's bytes; null where bytes have changed since that nothing was decoded from yet. A write to
   * decoded ones forgets the page.
   */
  decoder: Decoder | null;
  /** Pairs: start and end address of its micro-ops. */
  readonly uops: number[];
  /** Which chunks hold decoded bytes. */
  readonly chunks: Uint8Array;
  /** By offset: the micro-op of an instruction that was decoded alone. */
  readonly singles: Map<number, number>;
  /** OP_CROSS micro-ops, of other pages too, whose instruction ends here. */
  readonly crossings: Set<number>;
}

/** What the cache asks of the TLBs. */
export interface TlbControl {
  flushTlbs(): void;
  /** Writes to a host frame must ask first from now on. */
  protectFrame(frame: number): void;
  /** Nothing leads to what was decoded from a host frame any more. */
  forgetCode(frame: number): void;
}

/** Decoded code by host frame. Everything that was decoded from a frame goes when one of its decoded bytes changes. */
export class CodeCache {
  readonly #words: Uint32Array;
  readonly #bytes: Uint8Array;
  readonly #writer: TraceWriter;
  readonly #tlbs: TlbControl;
  readonly #pages = new Map<number, CodePage>();
  readonly #freeTables: number[] = [];
  readonly #instruction = new Instruction();
  #nextTable: number = layout.JUMP_TABLES;

  constructor(memory: WebAssembly.Memory, tlbs: TlbControl) {
    this.#words = new Uint32Array(memory.buffer);
    this.#bytes = new Uint8Array(memory.buffer);
    this.#writer = new TraceWriter(memory);
    this.#tlbs = tlbs;
  }

  /** The jump table of a frame for code of `bits`. */
  pageOf(frame: number, bits: Bits): number {
    const known = this.#pages.get(frame);
    if (known?.bits === bits) return known.table;
    if (known !== undefined) this.#forget(known);
    return this.#make(frame, bits).table;
  }

  /** The micro-op of the instruction at `offset` of a frame that `pageOf` knows. */
  decode(frame: number, offset: number): number {
    let page = this.#pages.get(frame);
    if (page === undefined) throw new RangeError(`frame ${frame.toString(16)} is no code page`);
    if (this.#writer.at + TRACE_ROOM > layout.UOPS_END) {
      this.forgetAll();
      page = this.#make(frame, page.bits);
    }
    return this.#trace(page, offset);
  }

  /** The instruction at `offset` alone, with an OP_STOP behind it. */
  decodeSingle(frame: number, offset: number): number {
    let page = this.#pages.get(frame);
    if (page === undefined) throw new RangeError(`frame ${frame.toString(16)} is no code page`);
    const known = page.singles.get(offset);
    if (known !== undefined) return known;
    if (this.#writer.at + TRACE_ROOM > layout.UOPS_END) {
      this.forgetAll();
      page = this.#make(frame, page.bits);
    }
    const start = this.#single(page, offset);
    page.singles.set(offset, start);
    return start;
  }

  /** Decodes the instruction of an OP_CROSS micro-op: its bytes end in `second`. */
  decodeCrossing(uop: number, frame: number, second: number): number {
    let page = this.#pages.get(frame);
    if (page === undefined) throw new RangeError(`frame ${frame.toString(16)} is no code page`);
    const { bits } = page;
    const next = this.#words[(uop + layout.UOP_NEXT) >>> 2] ?? 0;
    const offset = (next >>> 16) - ((next >>> 8) & 0xff);
    if (this.#writer.at + TRACE_ROOM > layout.UOPS_END) {
      this.forgetAll();
      page = this.#make(frame, bits);
      return this.#trace(page, offset);
    }
    this.pageOf(second, bits);
    const far = this.#pages.get(second);
    if (far === undefined) throw new RangeError('the second page of a crossing instruction is gone');
    const bytes = new Uint8Array(2 * LONGEST_INSTRUCTION);
    const inFirst = PAGE - offset;
    bytes.set(this.#bytes.subarray(frame + offset, frame + PAGE));
    bytes.set(this.#bytes.subarray(second, second + LONGEST_INSTRUCTION), inFirst);
    const decoder = new Decoder(bits, bytes, DecoderOptions.None);
    const instruction = this.#instruction;
    decoder.ip = BigInt(offset);
    decoder.decodeOut(instruction);
    const writer = this.#writer;
    writer.bits = bits;
    writer.ordinal = 0;
    writer.length = instruction.length;
    writer.next = offset + instruction.length;
    const start = writer.at;
    const lowered = instruction.isInvalid ? 'end' : lower(instruction, writer);
    if (instruction.isInvalid) writer.emit(OP_UD);
    else if (lowered === 'unsupported') {
      writer.at = start;
      writer.emit(OP_UNSUPPORTED);
    } else if (lowered === 'next') {
      writer.ordinal = 1;
      writer.emit(OP_NEXT_PAGE, layout.ZERO, layout.ZERO, layout.ZERO, layout.ZERO, 0, 0, writer.next);
    }
    decoder.free();
    page.uops.push(start, writer.at);
    far.crossings.add(uop);
    for (let chunk = 0; chunk <= Math.max(0, writer.next - PAGE - 1) >> CHUNK_BITS; chunk++) far.chunks[chunk] = 1;
    this.#words[(uop + layout.UOP_IMM) >>> 2] = second;
    writer.link(uop, start);
    return start;
  }

  /** Bytes of a code page are about to change. */
  written(frame: number, offset: number, size: number): void {
    const page = this.#pages.get(frame);
    if (page === undefined) return;
    const last = (offset + size - 1) >> CHUNK_BITS;
    for (let chunk = offset >> CHUNK_BITS; chunk <= last; chunk++)
      if (page.chunks[chunk] === 1) {
        this.#forget(page);
        return;
      }
    page.decoder?.free();
    page.decoder = null;
  }

  /** Forgets all code, e.g. because the cache is full. */
  forgetAll(): void {
    for (const page of this.#pages.values()) this.#drop(page);
    this.#pages.clear();
    this.#writer.at = layout.UOPS;
    const generation = layout.CODE_GENERATION >>> 2;
    this.#words[generation] = (this.#words[generation] ?? 0) + 1;
    this.#tlbs.flushTlbs();
  }

  #make(frame: number, bits: Bits): CodePage {
    let table = this.#freeTables.pop();
    if (table === undefined) {
      if (this.#nextTable + layout.JUMP_TABLE_BYTES > layout.JUMP_TABLES_END) {
        this.forgetAll();
        return this.#make(frame, bits);
      }
      table = this.#nextTable;
      this.#nextTable += layout.JUMP_TABLE_BYTES;
    }
    const page: CodePage = {
      frame,
      bits,
      table,
      decoder: null,
      uops: [],
      chunks: new Uint8Array(PAGE >> CHUNK_BITS),
      singles: new Map(),
      crossings: new Set(),
    };
    this.#pages.set(frame, page);
    this.#words[(layout.CODE_OF_FRAME >>> 2) + (frame >>> 12)] = table;
    // Data that was written to this frame until now must be seen from now on.
    this.#tlbs.protectFrame(frame);
    return page;
  }

  #decoderOf(page: CodePage): Decoder {
    const { frame, bits } = page;
    page.decoder ??= new Decoder(bits, this.#bytes.slice(frame, frame + PAGE), DecoderOptions.None);
    return page.decoder;
  }

  #forget(page: CodePage): void {
    this.#pages.delete(page.frame);
    this.#drop(page);
    this.#tlbs.forgetCode(page.frame);
  }

  /** Makes a page's micro-ops look themselves up again: one of them may be running. */
  #drop(page: CodePage): void {
    const words = this.#words;
    for (let pair = 0; pair < page.uops.length; pair += 2) {
      const end = page.uops[pair + 1] ?? 0;
      for (let uop = page.uops[pair] ?? end; uop < end; uop += layout.UOP_BYTES)
        words[uop >>> 2] = ((words[uop >>> 2] ?? 0) & 0xffff_0000) | OP_RESYNC;
    }
    for (const uop of page.crossings) words[(uop + layout.UOP_LINK) >>> 2] = 0;
    words.fill(0, page.table >>> 2, (page.table + layout.JUMP_TABLE_BYTES) >>> 2);
    words[(layout.CODE_OF_FRAME >>> 2) + (page.frame >>> 12)] = 0;
    this.#freeTables.push(page.table);
    page.decoder?.free();
  }

  #single(page: CodePage, offset: number): number {
    const decoder = this.#decoderOf(page);
    const writer = this.#writer;
    const instruction = this.#instruction;
    const start = writer.at;
    writer.bits = page.bits;
    writer.ordinal = 0;
    writer.length = 0;
    writer.next = offset;
    decoder.position = offset;
    decoder.ip = BigInt(offset);
    decoder.decodeOut(instruction);
    if (instruction.isInvalid && decoder.lastError === DecoderError.NoMoreBytes) {
      writer.emit(OP_CROSS);
      page.chunks.fill(1, offset >> CHUNK_BITS);
    } else {
      const { length } = instruction;
      writer.length = length;
      writer.next = offset + length;
      page.chunks.fill(1, offset >> CHUNK_BITS, ((offset + length - 1) >> CHUNK_BITS) + 1);
      const lowered = instruction.isInvalid ? 'end' : lower(instruction, writer);
      if (instruction.isInvalid) writer.emit(OP_UD);
      else if (lowered === 'unsupported') {
        writer.at = start;
        writer.emit(OP_UNSUPPORTED);
      } else if (lowered === 'next') {
        writer.length = 0;
        writer.ordinal = 1;
        writer.emit(OP_STOP);
      }
    }
    page.uops.push(start, writer.at);
    return start;
  }

  #trace(page: CodePage, start: number): number {
    const decoder = this.#decoderOf(page);
    const words = this.#words;
    const writer = this.#writer;
    const instruction = this.#instruction;
    const table = page.table >>> 2;
    const first = writer.at;
    writer.bits = page.bits;
    writer.ordinal = 0;
    let offset = start;
    decoder.position = offset;
    decoder.ip = BigInt(offset);
    for (;;) {
      writer.length = 0;
      writer.next = offset;
      if (offset >= PAGE) {
        writer.emit(OP_NEXT_PAGE, layout.ZERO, layout.ZERO, layout.ZERO, layout.ZERO, 0, 0, offset);
        break;
      }
      const known = words[table + offset] ?? 0;
      if (known !== 0 || writer.ordinal === LONGEST_TRACE) {
        const goto = writer.emit(OP_GOTO, layout.ZERO, layout.ZERO, layout.ZERO, layout.ZERO, 0, 0, offset);
        writer.link(goto, known);
        break;
      }
      decoder.decodeOut(instruction);
      const at = writer.at;
      words[table + offset] = at;
      if (instruction.isInvalid && decoder.lastError === DecoderError.NoMoreBytes) {
        writer.emit(OP_CROSS);
        page.chunks.fill(1, offset >> CHUNK_BITS);
        break;
      }
      const { length } = instruction;
      writer.length = length;
      writer.next = offset + length;
      page.chunks.fill(1, offset >> CHUNK_BITS, ((offset + length - 1) >> CHUNK_BITS) + 1);
      if (instruction.isInvalid) {
        writer.emit(OP_UD);
        break;
      }
      const lowered = lower(instruction, writer);
      if (lowered === 'unsupported') {
        writer.at = at;
        writer.emit(OP_UNSUPPORTED);
      }
      if (lowered !== 'next') break;
      if (at > first && writer.at === at + layout.UOP_BYTES) writer.fuseInto(at);
      offset += length;
      writer.ordinal++;
    }
    writer.pairUp(first);
    page.uops.push(first, writer.at);
    return first;
  }
}
