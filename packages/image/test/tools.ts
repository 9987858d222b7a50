/** The reference tools that decoders are compared with: the fetched one, else the machine's, else the test skips. */
import { spawnSync } from 'node:child_process';
import { assetPath } from './assets.ts';

/** Where a tool was found. */
export interface Tool {
  readonly program: string;
  readonly from: 'asset' | 'machine';
}

const found = new Map<string, Tool | undefined>();

/** A tool by its name, which is also its asset's; undefined where it is neither fetched nor installed. */
export function findTool(name: string): Tool | undefined {
  if (!found.has(name)) {
    const asset = assetPath(name);
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
  const skip = `the program ${name} is not on this machine, nor is its asset: unpin test-host fetch ${name}`;
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
