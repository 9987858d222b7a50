import { ByteReader } from '../byte-reader.ts';
import type { Elf64 } from './elf.ts';

/** BTF, the kernel's own type information (Documentation/bpf/btf.rst): only what function prototypes need. */
const MAGIC = 0xeb9f;
const VERSION = 1;
const TYPE_SIZE = 12;
const KIND = {
  int: 1,
  pointer: 2,
  array: 3,
  struct: 4,
  union: 5,
  enum: 6,
  func: 12,
  funcProto: 13,
  variable: 14,
  dataSection: 15,
  declTag: 17,
  enum64: 19,
} as const;
const LAST_KIND = 19;
/** Longest chain of typedefs and qualifiers followed for a name. */
const NAME_DEPTH = 8;

export interface BtfParameter {
  readonly name: string;
  /** 'unsigned long', 'int', 'bool'; empty where the type has no name of its own (pointers). */
  readonly type: string;
}

export interface BtfFunction {
  readonly name: string;
  readonly parameters: readonly BtfParameter[];
}

/** A kernel's BTF, walked once; prototypes are decoded when asked for. */
export class Btf {
  readonly #types: ByteReader;
  readonly #strings: ByteReader;
  readonly #walked: Walked;

  private constructor(types: ByteReader, strings: ByteReader, walked: Walked) {
    this.#types = types;
    this.#strings = strings;
    this.#walked = walked;
  }

  /** @returns undefined for what is no BTF of version 1, or is damaged: a signal is then missing, nothing more */
  static read(bytes: Uint8Array): Btf | undefined {
    const reader = new ByteReader(bytes);
    if (!reader.has(0, 24) || reader.u16(0, 'BTF magic') !== MAGIC || reader.u8(2, 'BTF version') !== VERSION)
      return undefined;
    const header = reader.u32(4, 'BTF header length');
    const part = (at: number): ByteReader | undefined => {
      const start = header + reader.u32(at, 'BTF section');
      const length = reader.u32(at + 4, 'BTF section');
      return reader.has(start, length) ? new ByteReader(bytes.subarray(start, start + length)) : undefined;
    };
    const types = part(8);
    const strings = part(16);
    if (types === undefined || strings === undefined) return undefined;
    const walked = walk(types);
    return walked === undefined ? undefined : new Btf(types, strings, walked);
  }

  /** The first function of this name. */
  function(name: string): BtfFunction | undefined {
    const text = this.#stringOffset(name);
    if (text === undefined) return undefined;
    const { view, offsets, count } = this.#walked;
    for (let id = 1; id < count; id++) {
      const at = offsets[id] as number;
      if (view.getUint32(at, true) !== text || this.#kind(at) !== KIND.func) continue;
      const prototype = this.#offsetOf(this.#types.u32(at + 8, 'BTF func'));
      if (prototype === undefined || this.#kind(prototype) !== KIND.funcProto) return undefined;
      return { name, parameters: this.#parameters(prototype) };
    }
    return undefined;
  }

  /** Where a whole string lies: BTF has each once. */
  #stringOffset(text: string): number | undefined {
    const { bytes } = this.#strings;
    const found = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(`\0${text}\0`, 0, 'latin1');
    return found < 0 ? undefined : found + 1;
  }

  /** Undefined for `void`, and for ids that lead nowhere. */
  #offsetOf(id: number): number | undefined {
    return id > 0 && id < this.#walked.count ? this.#walked.offsets[id] : undefined;
  }

  #parameters(prototype: number): BtfParameter[] {
    const count = this.#types.u32(prototype + 4, 'BTF info') & 0xffff;
    return Array.from({ length: count }, (_, i) => {
      const at = prototype + TYPE_SIZE + 8 * i;
      return { name: this.#name(at), type: this.#typeName(this.#types.u32(at + 4, 'BTF parameter')) };
    });
  }

  #typeName(id: number): string {
    for (let depth = 0, next = id; depth < NAME_DEPTH; depth++) {
      const at = this.#offsetOf(next);
      if (at === undefined) return '';
      const name = this.#name(at);
      if (name !== '' || this.#kind(at) === KIND.pointer) return name;
      next = this.#types.u32(at + 8, 'BTF type');
    }
    return '';
  }

  #kind(at: number): number {
    return (this.#types.u32(at + 4, 'BTF info') >>> 24) & 0x1f;
  }

  #name(at: number): string {
    const offset = this.#types.u32(at, 'BTF name');
    return offset > 0 && this.#strings.has(offset, 1) ? this.#strings.cString(offset, 512, 'BTF string') : '';
  }
}

/** Finds the BTF of an image in its .BTF section. */
export function readBtf(elf: Elf64): Btf | undefined {
  const section = elf.sections.find(({ name }) => name === '.BTF');
  return section === undefined ? undefined : Btf.read(section.bytes);
}

/** All types of a section. */
interface Walked {
  readonly view: DataView;
  /** Where each type begins in the type section; index 0 is `void` and begins nowhere. */
  readonly offsets: Uint32Array;
  /** One more than the last type's id. */
  readonly count: number;
}

/** Where each type begins; undefined where a type is cut off or of an unknown kind. */
function walk({ bytes }: ByteReader): Walked | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const offsets = new Uint32Array(1 + Math.ceil(bytes.length / TYPE_SIZE));
  let count = 1;
  let at = 0;
  while (at < bytes.length) {
    if (at + TYPE_SIZE > bytes.length) return undefined;
    const info = view.getUint32(at + 4, true);
    const kind = (info >>> 24) & 0x1f;
    if (kind === 0 || kind > LAST_KIND) return undefined;
    offsets[count++] = at;
    at += TYPE_SIZE + extraBytes(kind, info & 0xffff);
    if (at > bytes.length) return undefined;
  }
  return { view, offsets, count };
}

/** What follows a type of this kind with `count` members. */
function extraBytes(kind: number, count: number): number {
  switch (kind) {
    case KIND.int:
    case KIND.variable:
    case KIND.declTag:
      return 4;
    case KIND.array:
      return 12;
    case KIND.enum:
    case KIND.funcProto:
      return 8 * count;
    case KIND.struct:
    case KIND.union:
    case KIND.dataSection:
    case KIND.enum64:
      return 12 * count;
    default:
      return 0;
  }
}
