/** The reference tools that decoders are compared with: the fetched one, else the machine's, else the test skips. */
import { spawnSync } from 'node:child_process';
import { assetPath, assetProgram } from './assets.ts';

/** Where a tool was found. */
export interface Tool {
  readonly program: string;
  readonly from: 'asset' | 'machine';
}

const found = new Map<string, Tool | undefined>();

/** What makes disk images: programs of the asset disk-tools, of which no other version will do. */
export type DiskTool =
  | 'qemu-img'
  | 'mke2fs'
  | 'debugfs'
  | 'mkfs.xfs'
  | 'xfs_db'
  | 'mkfs.vfat'
  | 'mcopy'
  | 'mmd'
  | 'sfdisk'
  | 'lzop'
  | 'bzip2'
  | 'tar';

/** For a test's options: runs where disk-tools are, else skips with the reason. */
export function needsDiskTools(): { skip: string | false } {
  return { skip: assetProgram('disk-tools', 'qemu-img') === undefined && 'needs disk-tools: unpin test-host fetch' };
}

/** Runs a tool to its end and returns what it wrote. Throws with its complaints where it fails. */
export function diskTool(
  name: DiskTool,
  args: readonly string[],
  options: { readonly input?: string | Uint8Array; readonly environment?: Readonly<Record<string, string>> } = {},
): Buffer {
  const program = assetProgram('disk-tools', name);
  if (program === undefined) throw new Error(`${name} is not there: unpin test-host fetch disk-tools`);
  const result = spawnSync(program, args, {
    ...(options.input !== undefined && { input: options.input }),
    env: { PATH: process.env['PATH'], LC_ALL: 'C', ...options.environment },
    timeout: 60_000,
    maxBuffer: 2 ** 28,
  });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) throw new Error(`${name} ${args.join(' ')}: ${result.stderr.toString()}`);
  return result.stdout;
}

/** A tool by its name, which is also its asset's unless it is one of disk-tools; undefined where it is neither fetched nor installed. */
export function findTool(name: string): Tool | undefined {
  if (!found.has(name)) {
    const asset = assetPath(name) ?? assetProgram('disk-tools', name);
    found.set(name, asset === undefined ? installed(name) : { program: asset, from: 'asset' });
  }
  return found.get(name);
}

function installed(name: string): Tool | undefined {
  const { error } = spawnSync(name, ['--version'], { timeout: 10_000 });
  return error === undefined ? { program: name, from: 'machine' } : undefined;
}

/** For a test's options: runs where the tool is, else skips with the reason. */
export function needsTool(name: string): { skip: string | false } {
  const skip = `the program ${name} is not on this machine, nor is its asset: unpin test-host fetch`;
  return { skip: findTool(name) === undefined && skip };
}

/** Packs bytes with a tool that filters stdin to stdout. */
export function pack(name: string, args: readonly string[], input: Uint8Array): Buffer {
  const program = findTool(name)?.program ?? name;
  const result = spawnSync(program, args, { input, timeout: 60_000, maxBuffer: 2 ** 28 });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) throw new Error(`${name} ${args.join(' ')}: ${result.stderr.toString()}`);
  return result.stdout;
}
