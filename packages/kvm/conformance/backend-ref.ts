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

/** Opens the backend. TypeError where the module doesn't export such a factory. */
export async function openBackend(ref: BackendRef): Promise<Kvm> {
  const module: Record<string, unknown> = await import(ref.module);
  const factory = module[ref.export];
  if (typeof factory !== 'function') throw new TypeError(`${ref.module} exports no function '${ref.export}'`);
  return (await factory()) as Kvm;
}
