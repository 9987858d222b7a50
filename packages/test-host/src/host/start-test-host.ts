/**
 * A real kvm_amd on a machine without one: Debian's kernel boots in QEMU, which emulates a CPU with SVM and nested
 * paging, and runs one command there on the machine's own files.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { UnpinError } from '@unpin/contract/errors';
import { assetFolder, assetPath, requireAssets } from '../debian/fetch.ts';
import { consoleExcerpt } from './console-excerpt.ts';
import { parseControlLine } from './control-line.ts';
import { testHostInitramfs } from './initramfs.ts';
import { type Leashed, startLeashed } from './leashed-process.ts';
import { checkOptions, type HostRequest, type HostStage, type TestHostOptions } from './options.ts';
import { openPort, type PortSocket } from './port-sockets.ts';
import { CONTROL_PORT, STDERR_PORT, STDIN_PORT, STDOUT_PORT, TERMINAL } from './ports.ts';
import { qemuCommand, qemuEnvironment } from './qemu-command.ts';
import { qemuProgram } from './qemu-program.ts';
import { feed, type HostStreams, passOn } from './streams.ts';

export interface TestHostResult {
  /** The command's own, 0–255; 126 and 127 if it could not be started, as shells count. */
  readonly exitCode: number;
}

/** The path of a Unix socket has at most 107 bytes (unix(7)); ours add about 40 to this. */
const LONGEST_BASE = 60;

/**
 * Boots a test host, runs the command, ends the host. Several may run at once: nothing but the cache is shared.
 * The host ends when the command does, after `timeoutMs`, on abort, or with our own process.
 *
 * Throws TEST_HOST_MISSING (naming the command that fetches what is missing), TEST_HOST_FAILED with the end of its
 * console, GUEST_TIMEOUT, and what checkOptions throws; the signal's reason when aborted.
 */
export async function startTestHost(options: TestHostOptions): Promise<TestHostResult> {
  const request = checkOptions(options);
  requireAssets([request.kernel, 'busybox-static', 'qemu']);
  options.signal?.throwIfAborted();
  const folder = mkdtempSync(join(tmpdir().length > LONGEST_BASE ? '/tmp' : tmpdir(), 'unpin-host-'));
  try {
    return await runHost(request, options, folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runHost(request: HostRequest, options: TestHostOptions, folder: string): Promise<TestHostResult> {
  const { streams } = request;
  const tell = options.onProgress ?? (() => {});
  const program = qemuProgram(assetFolder('qemu'));
  const kernel = assetPath(request.kernel);
  const initrd = join(folder, 'initrd');
  const busybox = assetPath('busybox-static');
  writeFileSync(
    initrd,
    await testHostInitramfs({
      ...request,
      terminal: streams.terminal,
      busybox,
      kernelFolder: assetFolder(request.kernel),
    }),
  );
  const names = streams.terminal === undefined ? PIPES : [CONTROL_PORT, TERMINAL];
  const ports = new Map<string, PortSocket>();
  for (const name of names) ports.set(name, await openPort(folder, name));
  tell('starting QEMU', '');
  const machine = { ...request, kernel, initrd, folder, terminal: streams.terminal !== undefined };
  const qemu = startLeashed(folder, qemuCommand(program, machine), qemuEnvironment(program));
  const stop = stopping(qemu, options);
  let release: (() => void) | undefined;
  try {
    const sockets = await connectAll(ports, qemu);
    const [takeBack, drained] = attach(sockets, streams);
    release = takeBack;
    const outcome = await outcomeOf(sockets, qemu, tell, stop.alive);
    // Read now: its console log goes with it.
    const failure = outcome.exitCode === undefined ? failed(outcome.words, qemu, folder) : undefined;
    // What the command wrote is in our sockets by now; QEMU's own end closes them behind it.
    qemu.kill();
    await qemu.exited;
    const stopped = stop.reason();
    if (stopped !== undefined) throw stopped;
    await drained;
    if (outcome.exitCode === undefined) throw failure;
    return { exitCode: outcome.exitCode };
  } catch (error) {
    throw stop.reason() ?? error;
  } finally {
    release?.();
    stop.disarm();
    qemu.kill();
    for (const port of ports.values()) port.close();
    await qemu.exited.catch(() => {});
  }
}

const PIPES = [CONTROL_PORT, STDIN_PORT, STDOUT_PORT, STDERR_PORT];

type Sockets = ReadonlyMap<string, Socket>;

/** Rejects when QEMU ends before it has connected to all: a wrong command line, no memory. */
async function connectAll(ports: ReadonlyMap<string, PortSocket>, qemu: Leashed): Promise<Sockets> {
  const sockets = new Map<string, Socket>();
  const early = qemu.exited.then((code) => {
    throw new UnpinError('TEST_HOST_FAILED', { subject: 'QEMU', found: qemu.errors() || `exit code ${code}` });
  });
  for (const [name, port] of ports) sockets.set(name, await Promise.race([port.connected, early]));
  early.catch(() => {});
  return sockets;
}

/** Joins the command's streams with the caller's: how to part them again, and when all output has been passed on. */
function attach(sockets: Sockets, streams: HostStreams): [release: () => void, drained: Promise<unknown>] {
  const terminal = sockets.get(TERMINAL);
  const input = terminal ?? sockets.get(STDIN_PORT);
  if (input === undefined) throw new Error('no port for the input');
  // The greeting that the session script waits for.
  if (terminal === undefined) input.write('ready\n');
  const release = feed(streams.stdin, input, terminal === undefined);
  const output = passOn(terminal ?? sockets.get(STDOUT_PORT), streams.stdout);
  return [release, Promise.all([output, passOn(sockets.get(STDERR_PORT), streams.stderr)])];
}

type Tell = (stage: HostStage, detail: string) => void;

interface Outcome {
  readonly exitCode: number | undefined;
  /** Why there is no exit code, in the host's words. */
  readonly words: string;
}

/** Follows the control port until the command's end, or the host's. */
async function outcomeOf(sockets: Sockets, qemu: Leashed, tell: Tell, alive: () => void): Promise<Outcome> {
  const control = sockets.get(CONTROL_PORT);
  if (control === undefined) throw new Error('no control port');
  const lines = createInterface({ input: control, crlfDelay: Number.POSITIVE_INFINITY });
  for await (const text of lines) {
    const line = parseControlLine(text);
    alive();
    switch (line.kind) {
      case 'kernel-up':
        tell('kernel up', line.release);
        break;
      case 'kvm-loaded':
        tell('kvm_amd loaded', line.nestedPaging ? 'nested paging' : 'no nested paging');
        break;
      case 'running':
        tell('running', '');
        break;
      case 'alive':
        break;
      case 'exit':
        return { exitCode: line.code, words: '' };
      case 'failed':
        return { exitCode: undefined, words: line.reason };
      case 'unknown':
        break;
    }
  }
  return { exitCode: undefined, words: `QEMU ended with ${await qemu.exited}` };
}

/**
 * A host that says nothing for so long hangs, in milliseconds: far above what it takes to boot, and above its
 * heartbeat, where the machine is busy. QEMU's emulation loses the timer of a kernel that runs guests now and then.
 */
const SILENCE_MS = 180_000;

interface Stopping {
  /** The error to throw if we were the ones who stopped the host. */
  readonly reason: () => unknown;
  /** The host has said something: it doesn't hang. */
  readonly alive: () => void;
  readonly disarm: () => void;
}

function stopping(qemu: Leashed, options: TestHostOptions): Stopping {
  let reason: unknown;
  const stop = (why: unknown): void => {
    reason ??= why;
    qemu.kill();
  };
  const aborted = (): void => stop(options.signal?.reason);
  options.signal?.addEventListener('abort', aborted, { once: true });
  const { timeoutMs } = options;
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          const subject = `test host running ${options.command.join(' ')}`;
          stop(new UnpinError('GUEST_TIMEOUT', { subject, needed: `an end within ${timeoutMs / 1000} s` }));
        }, timeoutMs);
  const silent = setTimeout(
    () =>
      stop(
        new UnpinError('TEST_HOST_FAILED', {
          subject: 'test host',
          found: `no sign of life for ${SILENCE_MS / 1000} s: its kernel hangs`,
        }),
      ),
    SILENCE_MS,
  );
  return {
    reason: () => reason,
    alive: () => void silent.refresh(),
    disarm: () => {
      clearTimeout(timer);
      clearTimeout(silent);
      options.signal?.removeEventListener('abort', aborted);
    },
  };
}

function failed(words: string, qemu: Leashed, folder: string): UnpinError {
  const console = consoleExcerpt(readConsole(folder));
  const found = [words, withoutWarnings(qemu.errors()), ...console].filter((part) => part !== '').join('\n');
  return new UnpinError('TEST_HOST_FAILED', { subject: 'test host', found, detail: { console } });
}

/** QEMU warns of each CPU feature that it does not emulate. */
function withoutWarnings(errors: string): string {
  return errors
    .split('\n')
    .filter((line) => !line.includes("TCG doesn't support requested feature"))
    .join('\n');
}

function readConsole(folder: string): string {
  try {
    return readFileSync(join(folder, 'console.log'), 'utf8');
  } catch {
    return '';
  }
}
