import { existsSync } from 'node:fs';

/** Where `npm ci` leaves the compiled interpreter. */
export const ENGINE_FILE = new URL('../generated/x86.wasm', import.meta.url);

/** Why the engine can't run here, or undefined. Loads nothing of it. */
export function engineProblem(): string | undefined {
  return existsSync(ENGINE_FILE) ? undefined : 'the engine is not compiled: npm run prepare';
}
