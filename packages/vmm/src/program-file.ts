import { fileURLToPath } from 'node:url';

/** `.ts` in a checkout, `.js` where the package was built. */
const EXTENSION = import.meta.url.endsWith('.ts') ? '.ts' : '.js';

/** A module of this package as a URL, with the extension that it has here: for Workers and processes. */
export function moduleUrl(path: string): URL {
  return new URL(`./${path}${EXTENSION}`, import.meta.url);
}

/** The VMM program, to be run by Node. */
export function vmmProgram(): string {
  return fileURLToPath(moduleUrl('main'));
}
