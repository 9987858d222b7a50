import { type ChildProcess, spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ImageInspectionMessage } from '@unpin/contract';
import { UnpinError } from '@unpin/contract/errors';
import type { ByteSource } from '../source/byte-source.ts';
import { atPace, type ConfinedLimits, DATA_KIB, HEAP_MIB, paceOf, SLOWEST_PACE, START_LIMITS } from './limits.ts';
import type { NamedFile } from './named-file.ts';
import { type FromConfined, type Job, type JobFile, type JobOptions, type ToConfined, WITH_DISKS } from './protocol.ts';
import { type Overrun, usageOf, watchProcess } from './watch.ts';
import { toWire } from './wire-error.ts';

const PROGRAM = fileURLToPath(new URL(`./child${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url));
/** stdin, stdout, stderr and the channel come first. */
const FIRST_DESCRIPTOR = 4;
/** A process that begins with more than this may overrun its limit with an image that would not. */
const MOST_KEPT_BYTES = 2 ** 28;
/** Of what it complained about, for the error of a process that died: the end. */
const MOST_COMPLAINT = 2000;

export interface ProcessOptions {
  /** No request is for a disk: then what reads those isn't loaded. */
  readonly kernelsOnly?: boolean;
  /** CPU time for all requests together, in seconds. */
  readonly cpuSeconds?: number;
}

/** What is asked of the process, with files that are open. */
export interface ConfinedRequest {
  readonly image: NamedFile;
  readonly backing?: readonly NamedFile[];
  readonly firmware?: NamedFile;
  readonly initrd?: NamedFile;
  readonly options: JobOptions;
  readonly limits: ConfinedLimits;
  /** Takes the bytes of kernel and initrd of the start that was judged, in order. */
  readonly deliver?: (part: 'kernel' | 'initrd', bytes: Uint8Array) => void;
}

/**
 * A process that parses images and may do nothing else: it opens no files, has no network, starts no processes, and its
 * memory and time are limited. It reads the files that it was started with by their descriptors; what lies on the
 * network is read here for it. It works off its requests one by one; one that overruns its limits ends it.
 */
export class ConfinedProcess {
  readonly #child: ChildProcess;
  /** Files by their place among the descriptors that the process was started with. */
  readonly #descriptors = new Map<NamedFile, number>();
  /** Files and folders that are read here for it, by the names that it knows them by. */
  readonly #remotes: { readonly file: NamedFile; readonly source?: ByteSource }[] = [];
  readonly #close: (() => void)[] = [];
  #complaint = '';
  #doing = 'starting';
  #current: Work | undefined;
  #gone: { readonly signal: string } | undefined;
  /** Once it is ready: how many times slower than ordinary this machine is. */
  readonly #pace = Promise.withResolvers<number>();
  /** It can take no further request. */
  #spent = false;

  /**
   * @param files all that any request will name; they may be closed once this returns
   */
  constructor(files: readonly NamedFile[], { kernelsOnly = false, cpuSeconds = 60 }: ProcessOptions = {}) {
    const opened = [...new Set(files)];
    const descriptors = opened.flatMap((file) => {
      if (file.medium.kind !== 'descriptor') {
        this.#remotes.push({ file, ...(file.medium.kind === 'remote' ? { source: file.medium.source } : {}) });
        return [];
      }
      this.#descriptors.set(file, FIRST_DESCRIPTOR + this.#descriptors.size);
      return [file.medium.descriptor];
    });
    this.#child = spawn(
      '/bin/sh',
      ['-c', confine(cpuSeconds), process.execPath, ...nodeOptions(), PROGRAM, ...(kernelsOnly ? [] : [WITH_DISKS])],
      {
        stdio: ['ignore', 'ignore', 'pipe', 'ipc', ...descriptors],
        serialization: 'advanced',
        env: environment(),
      },
    );
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-MOST_COMPLAINT);
    });
    this.#child.on('message', (message) => this.#take(message as FromConfined));
    this.#child.on('error', (error) => this.#end(error.message));
    this.#child.on('close', (code, signal) => this.#end(signal ?? `exit status ${code}`));
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Whether it can take no further request: it is gone, or it holds too much of the last ones. */
  get spent(): boolean {
    const { pid } = this.#child;
    const resident = pid === undefined ? undefined : usageOf(pid)?.residentBytes;
    return this.#spent || this.#gone !== undefined || (resident ?? 0) > MOST_KEPT_BYTES;
  }

  /**
   * One at a time.
   * @throws UnpinError what is wrong with the image; IMAGE_OVER_LIMITS
   */
  async inspect(request: ConfinedRequest): Promise<ImageInspectionMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<ImageInspectionMessage>();
    const { pid } = this.#child;
    if (this.#gone !== undefined || pid === undefined)
      throw new UnpinError('INTERNAL', { subject: 'inspection', found: this.#gone?.signal ?? 'no process' });
    const overrun = (what: Overrun): void => {
      if (this.#current !== undefined) this.#current.overrun = { ...what, doing: this.#doing };
      // By its handle, which knows whether it has ended already.
      this.#child.kill('SIGKILL');
    };
    this.#current = { request, resolve, reject, overrun: undefined };
    let stop = watchProcess(pid, START_LIMITS, overrun);
    try {
      // What ends before it is ready is answered by the promise.
      const pace = await Promise.race([this.#pace.promise, promise.then(() => 1)]);
      stop();
      stop = watchProcess(pid, atPace(request.limits, pace), overrun);
      this.#send({ type: 'job', job: this.#jobOf(request, pace) });
      const inspection = await promise;
      const peakBytes = stop();
      return peakBytes === 0 ? inspection : { ...inspection, figures: { ...inspection.figures, peakBytes } };
    } finally {
      stop();
      this.#current = undefined;
    }
  }

  /** Ends it, whatever it does. */
  close(): void {
    this.#spent = true;
    this.#child.removeAllListeners('message');
    this.#child.kill('SIGKILL');
    this.#child.unref();
    for (const close of this.#close.splice(0)) close();
  }

  #jobOf({ image, backing = [], firmware, initrd, options, deliver }: ConfinedRequest, pace: number): Job {
    return {
      image: this.#fileOf(image),
      backing: backing.map((file) => this.#fileOf(file)),
      ...(firmware === undefined ? {} : { firmware: this.#fileOf(firmware) }),
      ...(initrd === undefined ? {} : { initrd: this.#fileOf(initrd) }),
      options: { ...options, softCpuMs: options.softCpuMs * pace },
      deliver: deliver !== undefined,
    };
  }

  #fileOf(file: NamedFile): JobFile {
    const { name, bytes, identity } = file;
    const descriptor = this.#descriptors.get(file);
    if (descriptor !== undefined) return { name, bytes, identity, medium: { kind: 'descriptor', descriptor } };
    const kind = file.medium.kind === 'folder' ? 'folder' : 'remote';
    return { name, bytes, identity, medium: { kind, id: this.#remotes.findIndex((each) => each.file === file) } };
  }

  #send(message: ToConfined): void {
    // A process that is gone tells so by its end.
    this.#child.send(message, () => undefined);
  }

  #take(message: FromConfined): void {
    const current = this.#current;
    switch (message.type) {
      case 'ready':
        this.#doing = 'waiting';
        this.#pace.resolve(paceOf((this.pid === undefined ? undefined : usageOf(this.pid)?.cpuMs) ?? 0));
        return;
      case 'at':
        this.#doing = message.what;
        return;
      case 'read':
        void this.#read(message);
        return;
      case 'open':
        void this.#open(message);
        return;
      case 'part':
        current?.request.deliver?.(message.part, message.bytes);
        return;
      case 'done':
        this.#spent ||= message.spent;
        current?.resolve(message.inspection);
        return;
      case 'failed':
        this.#spent ||= message.spent;
        current?.reject(UnpinError.fromBody(message.error));
    }
  }

  async #read({ read, file, offset, length }: Extract<FromConfined, { type: 'read' }>): Promise<void> {
    const remote = this.#remotes[file];
    try {
      if (remote?.source === undefined) throw new TypeError('no such file');
      this.#send({ type: 'bytes', read, bytes: await remote.source.read(offset, length) });
    } catch (error) {
      this.#send({ type: 'no-bytes', read, error: toWire(error, remote?.file.name ?? 'file', offset) });
    }
  }

  /** A file of a folder, for the process that can open none. */
  async #open({ read, folder, name }: Extract<FromConfined, { type: 'open' }>): Promise<void> {
    const file = this.#remotes[folder]?.file;
    try {
      if (file?.medium.kind !== 'folder') throw new TypeError('no such folder');
      // Only for who needs it: this reads folders for archives.
      const { openInFolder } = await import('./open-in-folder.ts');
      const source = openInFolder(file.medium.path, name);
      if (source === undefined) {
        this.#send({ type: 'opened', read });
        return;
      }
      this.#close.push(() => source.close());
      const id = this.#remotes.push({ file, source }) - 1;
      this.#send({ type: 'opened', read, part: { id, bytes: source.size } });
    } catch (error) {
      this.#send({ type: 'no-bytes', read, error: toWire(error, file?.name ?? 'folder', 0) });
    }
  }

  #end(how: string): void {
    if (this.#gone !== undefined) return;
    this.#gone = { signal: how };
    const current = this.#current;
    if (current === undefined) return;
    const subject = current.request.image.name;
    const { overrun } = current;
    if (overrun !== undefined) {
      current.reject(
        new UnpinError('IMAGE_OVER_LIMITS', {
          subject,
          found: `${overrun.found}, at ${overrun.doing}`,
          needed: overrun.needed,
        }),
      );
      return;
    }
    const complaint = this.#complaint.trim();
    const isMemory = /out of memory|allocation failed|bad_alloc/i.test(complaint);
    current.reject(
      new UnpinError(isMemory ? 'IMAGE_OVER_LIMITS' : 'INTERNAL', {
        subject,
        found: isMemory
          ? `more memory than the process may have, at ${this.#doing}`
          : `the process that parses it ended (${how}) at ${this.#doing}: ${complaint.slice(-400)}`,
      }),
    );
  }
}

interface Work {
  readonly request: ConfinedRequest;
  readonly resolve: (inspection: ImageInspectionMessage) => void;
  readonly reject: (error: UnpinError) => void;
  overrun: (Overrun & { readonly doing: string }) | undefined;
}

/** No core dumps of tenants' images; the kernel's own bounds behind the watchdog's, which ends with this process. */
function confine(cpuSeconds: number): string {
  return `ulimit -c 0; ulimit -d ${DATA_KIB}; ulimit -t ${Math.ceil(cpuSeconds * SLOWEST_PACE)}; exec "$0" "$@"`;
}

/**
 * Node's permission model: files may be read, the compile cache be written and temporary files be made until the program
 * has loaded and gives all of that up; nothing else was ever allowed.
 */
function nodeOptions(): readonly string[] {
  const cache = process.env['NODE_COMPILE_CACHE'];
  const written = [tmpdir(), ...(cache === undefined ? [] : [cache])];
  return [
    '--permission',
    '--allow-fs-read=*',
    ...written.flatMap((folder) => [`--allow-fs-write=${folder}`, `--allow-fs-write=${join(folder, '*')}`]),
    '--disallow-code-generation-from-strings',
    `--max-old-space-size=${HEAP_MIB}`,
    '--expose-gc',
    '--no-warnings',
  ];
}

/** Nothing of the caller's environment but what finds the compile cache: it may hold secrets. */
function environment(): NodeJS.ProcessEnv {
  const { NODE_COMPILE_CACHE: cache, TMPDIR: temporary } = process.env;
  return {
    PATH: dirname(process.execPath),
    ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: cache }),
    ...(temporary === undefined ? {} : { TMPDIR: temporary }),
  };
}
