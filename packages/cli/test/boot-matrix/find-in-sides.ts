import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';

/** How often a text stands in what backs each view of a guest; undefined where that side is no file that can be read. */
export interface SideHits {
  readonly private?: number;
  readonly shared?: number;
}

const CHUNK = 1 << 20;

/**
 * Looks for a text in the memory behind a VM's two views, from outside: the VMM is a child of `parent`, its sides are
 * memfds by name. Reading a hole of such a file allocates nothing. A guest_memfd can't be read so: that is its point.
 */
export function findInSides(parent: number, text: string): SideHits {
  const files = childrenOf(parent).flatMap((pid) =>
    readdirSync(`/proc/${pid}/fd`).map((fd) => `/proc/${pid}/fd/${fd}`),
  );
  const side = (name: string): number | undefined => {
    const path = files.find((file) => target(file).startsWith(`/memfd:${name}`));
    return path === undefined ? undefined : occurrences(path, Buffer.from(text));
  };
  const [inPrivate, inShared] = [side('guest-private'), side('guest-shared')];
  return {
    ...(inPrivate === undefined ? {} : { private: inPrivate }),
    ...(inShared === undefined ? {} : { shared: inShared }),
  };
}

/** Processes whose parent is this one. */
export function childrenOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')
      .split(' ')
      .filter((child) => child.trim() !== ''),
  );
}

function target(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return '';
  }
}

function occurrences(path: string, needle: Buffer): number {
  const fd = openSync(path, 'r');
  const buffer = Buffer.alloc(CHUNK + needle.length - 1);
  let hits = 0;
  try {
    const { size } = fstatSync(fd);
    for (let offset = 0; offset < size; offset += CHUNK) {
      const length = readSync(fd, buffer, 0, buffer.length, offset);
      for (
        let at = buffer.indexOf(needle);
        at !== -1 && at + needle.length <= length;
        at = buffer.indexOf(needle, at + 1)
      )
        hits++;
    }
  } finally {
    closeSync(fd);
  }
  return hits;
}
