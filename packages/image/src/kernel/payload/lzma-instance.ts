import { FormatError } from '../../format-error.ts';
import { LZMA_MODULE } from './generated/lzma-module.ts';

/** What assembly/lzma.ts exports. */
export interface LzmaInstance {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  /** @returns a RESULT */
  decode(from: number, to: number, at: number, limit: number): number;
}

/** The part of the WebAssembly JavaScript interface that is used here: TypeScript ships it with the DOM only. */
interface Compiler {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}

const PAGE = 65_536;
const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: Compiler };

let compiled: object | undefined;

/**
 * A decoder with so much memory of its own, in bytes.
 * @throws FormatError over-budget where there isn't so much
 */
export function lzmaInstance(bytes: number): LzmaInstance {
  compiled ??= new WebAssembly.Module(Buffer.from(LZMA_MODULE, 'base64'));
  const instance = new WebAssembly.Instance(compiled).exports as LzmaInstance;
  try {
    instance.memory.grow(Math.ceil(bytes / PAGE));
  } catch {
    throw new FormatError('over-budget', 'lzma stream', 0, `no memory for ${bytes} bytes`);
  }
  return instance;
}
