/** What a caller asks of a test host, checked. */
import { statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { UnpinError } from '@unpin/contract/errors';
import type { TerminalSize } from './guest-scripts.ts';
import { type HostStreams, resolveStreams } from './streams.ts';

/** Kernels that a test host can have, by the asset that carries them. */
export const HOST_KERNELS = ['host-6.12', 'host-newest'] as const;
export type HostKernel = (typeof HOST_KERNELS)[number];

/** How far a test host has come, in this order. */
export const HOST_STAGES = ['starting QEMU', 'kernel up', 'kvm_amd loaded', 'running'] as const;
export type HostStage = (typeof HOST_STAGES)[number];

export interface TestHostOptions {
  readonly kernel: HostKernel;
  /** Program (looked up in env's PATH) and arguments, run as root on the machine's own files. */
  readonly command: readonly string[];
  /** Default: ours. */
  readonly cwd?: string;
  /** The command's whole environment. Default: ours. */
  readonly env?: NodeJS.ProcessEnv;
  /** Default 2048. */
  readonly memoryMiB?: number;
  /**
   * Default 1: a kernel that patches itself while another emulated CPU runs dies now and then in QEMU's translator
   * (seen as int3 and stack guard oopses with 2).
   */
  readonly cpus?: number;
  /** Default: ours. `ignore`: nothing to read. */
  readonly stdin?: Readable | 'ignore';
  /** Default: ours. `ignore`: thrown away. Neither is ended. */
  readonly stdout?: Writable | 'ignore';
  readonly stderr?: Writable | 'ignore';
  /**
   * Give the command a terminal of this size: output and errors both go to `stdout`, and input passes as it is, control
   * characters too. Default: when input and output are ours and both are terminals; ours is then raw while it runs.
   */
  readonly terminal?: TerminalSize | 'none';
  /** `detail` is the kernel's release at `kernel up`, whether nested paging is there at `kvm_amd loaded`, else empty. */
  readonly onProgress?: (stage: HostStage, detail: string) => void;
  /** For all of it, boot included. Default: no limit. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Folders whose changes stay; what the command writes elsewhere goes into memory and is gone with the host. */
  readonly writable?: readonly string[];
}

/** The options with nothing left open. */
export interface HostRequest {
  readonly kernel: HostKernel;
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly memoryMiB: number;
  readonly cpus: number;
  readonly writable: readonly string[];
  readonly streams: HostStreams;
}

/** With less, kernel and modules leave nothing for a guest. */
const SMALLEST_MIB = 512;
const LARGEST_MIB = 1024 * 1024;
/** A kernel of Debian takes more, but emulated CPUs beyond this only wait for each other. */
const MOST_CPUS = 16;

/** Throws USAGE, MEMORY_INVALID or FILE_NOT_FOUND. */
export function checkOptions(options: TestHostOptions): HostRequest {
  const { memoryMiB = 2048, cpus = 1 } = options;
  if (options.command.length === 0)
    throw new UnpinError('USAGE', { subject: 'test host', found: 'no command', needed: 'a command to run in it' });
  if (!Number.isInteger(memoryMiB) || memoryMiB < SMALLEST_MIB || memoryMiB > LARGEST_MIB)
    throw new UnpinError('MEMORY_INVALID', {
      subject: 'memory of the test host',
      found: `${memoryMiB} MiB`,
      needed: `${SMALLEST_MIB} to ${LARGEST_MIB} MiB`,
    });
  if (!Number.isInteger(cpus) || cpus < 1 || cpus > MOST_CPUS)
    throw new UnpinError('USAGE', {
      subject: 'CPUs of the test host',
      found: String(cpus),
      needed: `1 to ${MOST_CPUS}`,
    });
  const env: Record<string, string> = {};
  for (const [name, value] of Object.entries(options.env ?? process.env)) if (value !== undefined) env[name] = value;
  const writable = (options.writable ?? []).map((path) => resolve(path));
  const cwd = options.cwd ?? process.cwd();
  for (const path of [...writable, cwd]) checkFolder(path);
  const { kernel, command } = options;
  return { kernel, command, cwd, env, memoryMiB, cpus, writable, streams: resolveStreams(options) };
}

function checkFolder(path: string): void {
  const found = isAbsolute(path) ? statSync(path, { throwIfNoEntry: false }) : undefined;
  if (found?.isDirectory() !== true || path.includes('\n'))
    throw new UnpinError('FILE_NOT_FOUND', { subject: path, needed: 'a folder that is there, by its absolute path' });
}
