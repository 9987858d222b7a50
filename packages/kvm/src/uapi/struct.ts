import type { U64 } from '../port/u64.ts';

/** How a field is stored, little-endian. `bytes` is anything longer; `tail` a flexible array at the struct's end. */
export type FieldKind = 'u8' | 'u16' | 'u32' | 'u64' | 'bytes' | 'tail';

export interface Field<K extends FieldKind = FieldKind> {
  readonly kind: K;
  readonly offset: number;
  /** Bytes; 0 for a tail. */
  readonly size: number;
}

export type Fields = Readonly<Record<string, Field>>;

export const u8 = (offset: number): Field<'u8'> => ({ kind: 'u8', offset, size: 1 });
export const u16 = (offset: number): Field<'u16'> => ({ kind: 'u16', offset, size: 2 });
export const u32 = (offset: number): Field<'u32'> => ({ kind: 'u32', offset, size: 4 });
export const u64 = (offset: number): Field<'u64'> => ({ kind: 'u64', offset, size: 8 });
export const bytes = (offset: number, size: number): Field<'bytes'> => ({ kind: 'bytes', offset, size });
export const tail = (offset: number): Field<'tail'> => ({ kind: 'tail', offset, size: 0 });

type Named<F extends Fields, K extends FieldKind> = { [N in keyof F]: F[N]['kind'] extends K ? N : never }[keyof F];

/** The number fields of a struct. */
export type NumberField<F extends Fields> = Named<F, 'u8' | 'u16' | 'u32' | 'u64'>;
export type WideField<F extends Fields> = Named<F, 'u64'>;
export type BytesField<F extends Fields> = Named<F, 'bytes' | 'tail'>;

/** Where each field of a C struct lies, under C's own names. */
export interface Layout<F extends Fields> {
  readonly name: string;
  /** sizeof. */
  readonly size: number;
  readonly fields: F;
  /** A zeroed struct, with `tailBytes` behind it for a flexible array. */
  make(tailBytes?: number): Struct<F>;
  /** A struct that lies in a buffer already, from `offset` on. */
  at(buffer: ArrayBufferLike, offset?: number): Struct<F>;
}

const LITTLE = true;
const WORD = 2 ** 32;

/** Typed access to one struct in memory. Nothing is copied: `bytes` is what the kernel reads and writes. */
export class Struct<F extends Fields> {
  readonly layout: Layout<F>;
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(layout: Layout<F>, bytes: Uint8Array) {
    this.layout = layout;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** A number field; a u64 is exact below 2^53. */
  get(name: NumberField<F>): number {
    const { kind, offset } = this.#field(name);
    switch (kind) {
      case 'u8':
        return this.view.getUint8(offset);
      case 'u16':
        return this.view.getUint16(offset, LITTLE);
      case 'u32':
        return this.view.getUint32(offset, LITTLE);
      case 'u64':
        return this.view.getUint32(offset + 4, LITTLE) * WORD + this.view.getUint32(offset, LITTLE);
      case 'bytes':
      case 'tail':
        throw new TypeError(`${this.layout.name}.${String(name)} is no number`);
    }
  }

  /** A u64 field, exact. */
  getBig(name: WideField<F>): bigint {
    return this.view.getBigUint64(this.#field(name).offset, LITTLE);
  }

  /** Sets a number field; a u64 takes a number below 2^53 or a bigint (modulo 2^64). Answers the struct. */
  set(name: NumberField<F>, value: U64): this {
    const { kind, offset } = this.#field(name);
    switch (kind) {
      case 'u8':
        this.view.setUint8(offset, Number(value));
        break;
      case 'u16':
        this.view.setUint16(offset, Number(value), LITTLE);
        break;
      case 'u32':
        this.view.setUint32(offset, Number(value), LITTLE);
        break;
      case 'u64':
        if (typeof value === 'bigint') this.view.setBigUint64(offset, BigInt.asUintN(64, value), LITTLE);
        else {
          this.view.setUint32(offset, value, LITTLE);
          this.view.setUint32(offset + 4, Math.floor(value / WORD), LITTLE);
        }
        break;
      case 'bytes':
      case 'tail':
        throw new TypeError(`${this.layout.name}.${String(name)} is no number`);
    }
    return this;
  }

  /** The live bytes of a longer field; of a tail, all that lies behind it. */
  part(name: BytesField<F>): Uint8Array {
    const { kind, offset, size } = this.#field(name);
    return kind === 'tail' ? this.bytes.subarray(offset) : this.bytes.subarray(offset, offset + size);
  }

  #field(name: keyof F): Field {
    const field = this.layout.fields[name];
    if (field === undefined) throw new TypeError(`${this.layout.name} has no field ${String(name)}`);
    return field;
  }
}

/** Describes a C struct. Padding has no row; names are C's, so that the C compiler can check each. */
export function struct<const F extends Fields>(name: string, size: number, fields: F): Layout<F> {
  const layout: Layout<F> = {
    name,
    size,
    fields,
    make: (tailBytes = 0) => new Struct(layout, new Uint8Array(size + tailBytes)),
    at: (buffer, offset = 0) => new Struct(layout, new Uint8Array(buffer, offset, size)),
  };
  return layout;
}
