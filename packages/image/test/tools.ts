/** The reference tools that decoders are compared with. */
import { spawnSync } from 'node:child_process';

const found = new Map<string, boolean>();

function hasTool(tool: string): boolean {
  let has = found.get(tool);
  if (has === undefined) {
    has = spawnSync(tool, ['--version'], { timeout: 10_000 }).error === undefined;
    found.set(tool, has);
  }
  return has;
}

export function needsTool(tool: string): { skip: string | false } {
  return { skip: !hasTool(tool) && `the program ${tool} is not on this machine` };
}

/** Packs bytes with a tool that filters stdin to stdout. */
export function pack(tool: string, args: readonly string[], input: Uint8Array): Buffer {
  const result = spawnSync(tool, args, { input, timeout: 60_000, maxBuffer: 2 ** 28 });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) throw new Error(`${tool} ${args.join(' ')}: ${result.stderr.toString()}`);
  return result.stdout;
}
