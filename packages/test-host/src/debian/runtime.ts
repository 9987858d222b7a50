/** A closure unpacked in a folder: its own loader and libraries, with which its programs run whatever the machine's are. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export interface Runtime {
  readonly loader: string;
  readonly libraries: readonly string[];
}

/** Where libc6 has them; since the merge of /usr (trixie) below usr. */
const LIBRARIES = ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu'];
/** Not lib64's: that is a link to the machine's own loader, which fits its own C library only. */
const LOADER = 'ld-linux-x86-64.so.2';

/** The runtime of a folder, absolute where the folder is; undefined where there is no loader. */
export function runtimeOf(folder: string): Runtime | undefined {
  const libraries = LIBRARIES.map((path) => join(folder, path)).filter((path) => existsSync(path));
  const loader = libraries.map((path) => join(path, LOADER)).find((path) => existsSync(path));
  return loader === undefined ? undefined : { loader, libraries };
}
