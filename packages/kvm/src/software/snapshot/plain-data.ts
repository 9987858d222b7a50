/** What a snapshot consists of. Typed arrays stand beside the text, everything else in it. */
export type PlainData =
  | null
  | boolean
  | number
  | string
  | undefined
  | ByteArray
  | readonly PlainData[]
  | { readonly [name: string]: PlainData };

const ARRAYS = { Uint8Array, Uint16Array, Uint32Array, Int32Array, Float64Array } as const;
type ArrayName = keyof typeof ARRAYS;
type ByteArray = InstanceType<(typeof ARRAYS)[ArrayName]>;

/** In the place of a typed array, or of a number that JSON hasn't. No object of a snapshot has a member of this name. */
const MARK = '$';

interface ArrayMark {
  readonly $: ArrayName;
  /** Which of the byte arrays. */
  readonly at: number;
}

/** The text of some plain data, and the bytes that stand beside it, in the order of their numbers. */
export function toText(data: unknown): { readonly text: string; readonly arrays: readonly Uint8Array[] } {
  const arrays: Uint8Array[] = [];
  const text = JSON.stringify(data, (_, value: unknown) => {
    if (typeof value === 'number' && !Number.isFinite(value)) return { [MARK]: 'number', value: String(value) };
    if (!ArrayBuffer.isView(value)) return value;
    const name = nameOf(value);
    if (name === undefined) throw new TypeError(`a ${value.constructor.name} can't be saved`);
    arrays.push(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    return { [MARK]: name, at: arrays.length - 1 } satisfies ArrayMark;
  });
  return { text, arrays };
}

/** The same data. SyntaxError for what isn't JSON, RangeError for an array that isn't there. */
export function fromText(text: string, array: (at: number) => Uint8Array): unknown {
  return JSON.parse(text, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || !(MARK in value)) return value;
    if (value[MARK] === 'number') return Number((value as { readonly value?: unknown }).value);
    const mark = value as ArrayMark;
    const bytes = array(mark.at);
    const kind = ARRAYS[mark.$];
    if (kind === undefined || bytes.byteLength % kind.BYTES_PER_ELEMENT !== 0)
      throw new RangeError(`${bytes.byteLength} bytes are no ${mark.$}`);
    return new kind(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.byteLength / kind.BYTES_PER_ELEMENT);
  });
}

function nameOf(value: ArrayBufferView): ArrayName | undefined {
  // Node's Buffer is a Uint8Array.
  if (value instanceof Uint8Array) return 'Uint8Array';
  return (Object.keys(ARRAYS) as ArrayName[]).find((name) => value instanceof ARRAYS[name]);
}
