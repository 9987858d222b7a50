/** The QEMU that tests use: Debian's, unpacked in the cache folder with its own loader and libraries. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, sep } from 'node:path';

/** A program and the arguments before its own. */
export interface QemuProgram {
  readonly command: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string>>;
}

/** There is no QEMU here. Tests skip with the message. */
export class NoQemu extends Error {
  override readonly name = 'NoQemu';
}

const BINARY = 'usr/bin/qemu-system-x86_64';
const CLI = join(import.meta.dirname, '../../cli/src/main.ts');

/** Asks `test-host path qemu`, as a person would: this room imports no other. Throws NoQemu. */
export function findQemu(): QemuProgram {
  let path: string;
  try {
    const told = execFileSync(process.execPath, [CLI, 'test-host', 'path', 'qemu'], {
      encoding: 'utf8',
      timeout: 30_000,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    path = told.trim();
  } catch {
    throw new NoQemu('lockstep needs the asset qemu (unpin test-host fetch qemu)');
  }
  if (!path.endsWith(`${sep}${BINARY}`) || !existsSync(path)) throw new NoQemu(`no QEMU at ${path}`);
  return qemuIn(path.slice(0, -BINARY.length - 1));
}

function qemuIn(folder: string): QemuProgram {
  const there = (...paths: string[]): string[] =>
    paths.map((path) => join(folder, path)).filter((path) => existsSync(path));
  const [loader] = there('lib64/ld-linux-x86-64.so.2', 'usr/lib64/ld-linux-x86-64.so.2');
  if (loader === undefined) throw new NoQemu(`no loader in ${folder}`);
  const libraries = there('lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu').join(':');
  const firmware = there('usr/share/qemu', 'usr/share/seabios', 'usr/lib/ipxe/qemu');
  return {
    command: [loader, '--library-path', libraries, join(folder, BINARY), ...firmware.flatMap((path) => ['-L', path])],
    environment: {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      QEMU_MODULE_DIR: join(folder, 'usr/lib/x86_64-linux-gnu/qemu'),
    },
  };
}
