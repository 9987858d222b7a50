import { createRequire } from 'node:module';
import type koffi from 'koffi';
import type { LibraryHandle } from 'koffi';

type Koffi = typeof koffi;

/**
 * The C library of this process, through koffi. Loaded at the first call: importing @unpin/kvm must cost nothing on a
 * machine that never opens a VM. Each Worker loads its own instance; the library itself is one.
 */
let loaded: { readonly koffi: Koffi; readonly library: LibraryHandle } | undefined;

function load(): { readonly koffi: Koffi; readonly library: LibraryHandle } {
  if (loaded === undefined) {
    const koffi = createRequire(import.meta.url)('koffi') as Koffi;
    loaded = { koffi, library: koffi.load('libc.so.6') };
  }
  return loaded;
}

export function ffi(): Koffi {
  return load().koffi;
}

/** A C type by its koffi name. `void *` takes a number (a user address), a Uint8Array or null. */
export type CType = 'int' | 'uint' | 'long' | 'ulong' | 'size_t' | 'intptr' | 'int64' | 'void *' | 'str';

/** What `void *` accepts: an address in this process, the bytes of a buffer in place, or NULL. */
export type Pointer = number | Uint8Array | null;

/**
 * A libc function, bound at its first use.
 *
 * Safety: koffi believes the signature; F, `result` and `args` must say the same as the manual page. A variadic
 * function (ioctl, open, syscall) is called as one with a fixed number of arguments, which the x86-64 ABI passes alike.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the signature is the caller's word for the C prototype
export function symbol<F extends (...args: never[]) => unknown>(
  name: string,
  result: CType,
  args: readonly CType[],
): () => F {
  let bound: F | undefined;
  return () => {
    bound ??= load().library.func(name, result, [...args]) as unknown as F;
    return bound;
  };
}

/** A function as koffi binds it: `async` calls it on a thread of libuv's pool and answers by callback. */
export interface Pooled<A extends readonly unknown[]> {
  (...args: A): number;
  readonly async: (...args: [...A, (error: Error | null, result: number) => void]) => void;
}
