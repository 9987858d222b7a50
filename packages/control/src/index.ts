import { fileURLToPath } from 'node:url';
import type { controlRoutes } from '@unpin/contract';
import type { Client } from '@unpin/contract/client';

/** A client of the control plane: `createClient(controlRoutes, { url })`. */
export type ControlClient = Client<typeof controlRoutes>;

/** Where the control plane listens unless told otherwise. */
export const DEFAULT_CONTROL_PORT = 7070;

/** The line that a control plane prints when it serves. */
export interface ControlReadyLine {
  readonly ready: { readonly url: string; readonly pid: number; readonly database: string };
}

/** The program of the control plane's process: `--database FILE [--port N] [--log-level LEVEL]`. */
export function controlProgram(): string {
  return fileURLToPath(new URL(`./main${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url));
}
