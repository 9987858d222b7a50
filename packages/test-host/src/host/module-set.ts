/** The modules of one Debian kernel package, unpacked in a folder: found, decompressed, in order. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { runTool } from '../run-tool.ts';
import { moduleName, readModinfo } from './modinfo.ts';
import { moduleOrder } from './module-order.ts';

/** One module, ready for insmod. */
export interface KernelModule {
  readonly name: string;
  readonly data: Uint8Array;
}

/** Where Debian's packages keep modules: in /lib, since the merge of /usr (trixie's kernels) in /usr/lib. */
const MODULE_FOLDERS = ['lib/modules', 'usr/lib/modules'];

/** The folder of the modules of the one kernel unpacked in `directory`; undefined if there is none. */
export function modulesFolder(directory: string): string | undefined {
  for (const folder of MODULE_FOLDERS.map((each) => join(directory, each))) {
    if (!existsSync(folder)) continue;
    const [release] = readdirSync(folder);
    if (release !== undefined) return join(folder, release);
  }
  return undefined;
}

/**
 * `wanted` modules and all that they depend on, decompressed, in insmod order.
 * `modules` is a folder that holds modules.order and modules.builtin; `busybox`, the path of one, unpacks what is
 * packed as xz: the machine may have nothing that does. Throws ModuleOrderError, ModuleFormatError.
 */
export async function orderedModules(
  modules: string,
  wanted: readonly string[],
  busybox: string,
): Promise<KernelModule[]> {
  const builtIn = new Set(list(join(modules, 'modules.builtin')).map(moduleName));
  const paths = new Map(list(join(modules, 'modules.order')).map((path) => [moduleName(path), path]));
  const loaded = new Map<string, { readonly data: Uint8Array; readonly depends: readonly string[] }>();
  // Breadth first, because decompression is asynchronous and the order is a pure step after it.
  for (let next = [...wanted]; next.length > 0; ) {
    const found: string[] = [];
    for (const name of next) {
      const path = paths.get(name);
      if (path === undefined || builtIn.has(name) || loaded.has(name)) continue;
      const data = await decompressed(join(modules, path), busybox);
      const { depends } = readModinfo(data);
      loaded.set(name, { data, depends });
      found.push(...depends);
    }
    next = found;
  }
  const order = moduleOrder(
    wanted,
    (name) => loaded.get(name)?.depends,
    (name) => builtIn.has(name),
  );
  return order.flatMap((name) => {
    const module = loaded.get(name);
    return module === undefined ? [] : [{ name, data: module.data }];
  });
}

function list(path: string): string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '');
}

/** The bytes of a module, by whichever of its compressed names is there: modules.order lists the plain one. */
async function decompressed(path: string, busybox: string): Promise<Uint8Array> {
  if (existsSync(path)) return readFileSync(path);
  if (existsSync(`${path}.zst`)) return zstdDecompressSync(readFileSync(`${path}.zst`));
  const { stdout } = await runTool(busybox, ['xzcat', `${path}.xz`], { timeoutMs: 60_000 });
  return stdout;
}
