import { existsSync } from 'node:fs';
import type { Kvm } from '../src/port/kvm.ts';

/**
 * Where to find a backend: rules run in a process and a thread of their own, so a factory goes by name. `export` is a
 * function without parameters that opens a Kvm, or promises one.
 */
export interface BackendRef {
  /** URL of the module. */
  readonly module: string;
  readonly export: string;
}

/** Opens the backend. Error where there is no such module, TypeError where it doesn't export such a factory. */
export async function openBackend(ref: BackendRef): Promise<Kvm> {
  const url = new URL(ref.module);
  if (url.protocol === 'file:' && !existsSync(url)) throw new Error(`this backend is not built: no ${ref.module}`);
  const module: Record<string, unknown> = await import(ref.module);
  const factory = module[ref.export];
  if (typeof factory !== 'function') throw new TypeError(`${ref.module} exports no function '${ref.export}'`);
  return (await factory()) as Kvm;
}
