/** Runs one of the system's tools to its end: bounded in time, output collected, failure told in the tool's own words. */
import { type ChildProcess, spawn } from 'node:child_process';

export interface ToolOptions {
  /** After so many milliseconds the tool is killed. */
  readonly timeoutMs: number;
  readonly cwd?: string;
  /** In place of our own environment. */
  readonly env?: NodeJS.ProcessEnv;
  /** Each line of the tool's standard output, as it comes. */
  readonly onLine?: (line: string) => void;
}

export interface ToolResult {
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** A tool that is missing, failed, or took too long. */
export class ToolError extends Error {
  override readonly name = 'ToolError';
  readonly tool: string;
  readonly reason: 'missing' | 'failed' | 'timeout';
  readonly stderr: string;

  constructor(tool: string, reason: 'missing' | 'failed' | 'timeout', message: string, stderr: string) {
    super(message);
    this.tool = tool;
    this.reason = reason;
    this.stderr = stderr;
  }
}

/** Resolves when the tool exits with 0. Rejects with ToolError. */
export function runTool(tool: string, args: readonly string[], options: ToolOptions): Promise<ToolResult> {
  const child = spawn(tool, args, { ...spawnOptions(options), stdio: ['ignore', 'pipe', 'pipe'] });
  const out: Buffer[] = [];
  let line = '';
  child.stdout.on('data', (data: Buffer) => {
    out.push(data);
    if (options.onLine === undefined) return;
    const lines = (line + data.toString('utf8')).split('\n');
    line = lines.pop() ?? '';
    for (const each of lines) options.onLine(each);
  });
  return ended(tool, child, options).then((stderr) => ({ stdout: Buffer.concat(out), stderr }));
}

/** `source | sink`: resolves when both exit with 0, whatever one of them makes of the other's end. Rejects with ToolError. */
export async function runPipe(
  [source, ...sourceArgs]: readonly [string, ...string[]],
  [sink, ...sinkArgs]: readonly [string, ...string[]],
  options: ToolOptions,
): Promise<void> {
  const first = spawn(source, sourceArgs, { ...spawnOptions(options), stdio: ['ignore', 'pipe', 'pipe'] });
  const second = spawn(sink, sinkArgs, { ...spawnOptions(options), stdio: [first.stdout, 'ignore', 'pipe'] });
  const both = Promise.all([ended(source, first, options), ended(sink, second, options)]);
  // Ours is one more end of the pipe, and would keep the source from noticing that nobody reads.
  first.stdout.destroy();
  await both;
}

function spawnOptions({ timeoutMs, cwd, env }: ToolOptions) {
  return {
    timeout: timeoutMs,
    killSignal: 'SIGKILL' as const,
    ...(cwd === undefined ? {} : { cwd }),
    ...(env === undefined ? {} : { env }),
  };
}

/** What the tool wrote to its standard error, once it has exited with 0. */
function ended(tool: string, child: ChildProcess, options: ToolOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const err: Buffer[] = [];
    child.stderr?.on('data', (data: Buffer) => err.push(data));
    child.once('error', (error: NodeJS.ErrnoException) => {
      const reason = error.code === 'ENOENT' ? 'missing' : 'failed';
      reject(new ToolError(tool, reason, `${tool}: ${error.message}`, ''));
    });
    child.once('close', (code, signal) => {
      const stderr = Buffer.concat(err).toString('utf8').trim();
      if (code === 0) {
        resolve(stderr);
        return;
      }
      // Node's own kill after `timeout` is the only SIGKILL that leaves `killed` set.
      const reason = signal === 'SIGKILL' && child.killed ? 'timeout' : 'failed';
      const how =
        reason === 'timeout' ? `took more than ${options.timeoutMs / 1000} s` : `ended with ${signal ?? code}`;
      reject(new ToolError(tool, reason, `${tool} ${how}${stderr === '' ? '' : `: ${stderr}`}`, stderr));
    });
  });
}
