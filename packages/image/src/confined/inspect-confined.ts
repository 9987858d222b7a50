import type { ImageInspectionMessage } from '@unpin/contract';
import { UnpinError } from '@unpin/contract/errors';
import { ConfinedProcess } from './confined-process.ts';
import { startsAsKernel } from './kernel-head.ts';
import { MOST_KERNEL_BYTES } from './kernel-size.ts';
import { type ConfinedLimits, DEFAULT_LIMITS, limitsFor } from './limits.ts';
import { type NamedFile, openNamed } from './named-file.ts';
import type { JobOptions } from './protocol.ts';

/** An image to inspect, by the names that a person gave: paths, or http(s) addresses. */
export interface ImageRequest {
  readonly image: string;
  /** What the file is taken for; what it looks like unless said. */
  readonly as?: 'auto' | 'kernel' | 'disk';
  /** Files that may stand behind the image: nothing else is opened, whatever the image names. */
  readonly backing?: readonly string[];
  readonly firmware?: string;
  /** Of a kernel that is given as a file. */
  readonly initrd?: string;
  /** The entry that is judged instead of the default: its title, or its number from 1 on. */
  readonly entry?: string;
  /** The command line that the kernel will get, in place of the one that its loader would give. */
  readonly commandLine?: string;
  /** Takes the bytes of kernel and initrd of the start that was judged, in order. */
  readonly deliver?: (part: 'kernel' | 'initrd', bytes: Uint8Array) => void;
}

/** How an inspection ended: with a verdict, or an error of the catalogue. */
export type ImageAnswer =
  | { readonly inspection: ImageInspectionMessage; readonly error?: undefined }
  | { readonly inspection?: undefined; readonly error: UnpinError };

export interface ConfinedOptions {
  readonly limits?: Partial<ConfinedLimits>;
  readonly signal?: AbortSignal;
}

export interface ManyOptions extends ConfinedOptions {
  /** Processes at once. */
  readonly workers: number;
  /** Each answer as it comes. */
  readonly onAnswer?: (answer: ImageAnswer, index: number) => void;
}

/** Images that one process is started for: more would keep as many files open, fewer would start more processes. */
const BATCH = 32;
/** Of the CPU time that one inspection may take, what may be gone before it begins with a further kernel. */
const SOFT_PART = 0.6;

/**
 * Inspects one image in a process of its own.
 * @throws UnpinError FILE_*, IMAGE_OVER_LIMITS, NOT_FOUND where the entry that was asked for isn't there
 */
export async function inspectConfined(
  request: ImageRequest,
  options: ConfinedOptions = {},
): Promise<ImageInspectionMessage> {
  const [answer] = await inspectMany([request], { ...options, workers: 1 });
  if (answer?.inspection !== undefined) return answer.inspection;
  throw answer?.error ?? new UnpinError('INTERNAL', { subject: request.image, found: 'no answer' });
}

/** Inspects many images in several processes; one that fails says so in its place. */
export async function inspectMany(
  requests: readonly ImageRequest[],
  { workers, onAnswer, ...options }: ManyOptions,
): Promise<readonly ImageAnswer[]> {
  const answers: ImageAnswer[] = [];
  const batch = Math.max(1, Math.min(BATCH, Math.ceil(requests.length / workers)));
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < requests.length) {
      const from = next;
      next = Math.min(requests.length, from + batch);
      await inspectBatch(requests.slice(from, next), options, (answer, index) => {
        answers[from + index] = answer;
        onAnswer?.(answer, from + index);
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(workers, Math.ceil(requests.length / batch)) }, worker));
  return answers;
}

/** Works off images in one process, and in another one for the rest wherever it was lost. */
async function inspectBatch(
  requests: readonly ImageRequest[],
  { limits, signal }: ConfinedOptions,
  tell: (answer: ImageAnswer, index: number) => void,
): Promise<void> {
  const files = new OpenFiles();
  const allowed = { ...DEFAULT_LIMITS, ...limits };
  let running: ConfinedProcess | undefined;
  const abort = (): void => running?.close();
  signal?.addEventListener('abort', abort);
  try {
    const opened = await Promise.all(requests.map((request) => files.openAll(request)));
    for (const [index, each] of opened.entries()) {
      signal?.throwIfAborted();
      if (each.error !== undefined) {
        tell({ error: each.error }, index);
        continue;
      }
      if (running?.spent !== false) {
        running?.close();
        const rest = opened.slice(index);
        running = new ConfinedProcess(
          rest.flatMap(({ files: each }) => each ?? []),
          { kernelsOnly: rest.every(isKernel), cpuSeconds: cpuSecondsOf(rest, allowed) },
        );
      }
      tell(await answerOf(running, each, allowed), index);
    }
  } finally {
    signal?.removeEventListener('abort', abort);
    running?.close();
    files.close();
  }
}

async function answerOf(
  running: ConfinedProcess,
  { request, image, backing, firmware, initrd }: OpenedRequest,
  allowed: ConfinedLimits,
): Promise<ImageAnswer> {
  const limits = limitsFor(allowed, image.head, image.bytes);
  try {
    const options: JobOptions = {
      as: request.as ?? 'auto',
      ...(request.entry === undefined ? {} : { entry: request.entry }),
      ...(request.commandLine === undefined ? {} : { commandLine: request.commandLine }),
      softCpuMs: limits.cpuMs * SOFT_PART,
    };
    const inspection = await running.inspect({
      image,
      backing,
      ...(firmware === undefined ? {} : { firmware }),
      ...(initrd === undefined ? {} : { initrd }),
      options,
      limits,
      ...(request.deliver === undefined ? {} : { deliver: request.deliver }),
    });
    return { inspection };
  } catch (error) {
    return { error: UnpinError.from(error) };
  }
}

/** Where a kernel was asked for, one that is too large for any is refused by its size alone. */
function checkKernelSize({ as }: ImageRequest, { name, bytes }: NamedFile): void {
  if (as !== 'kernel' || bytes <= MOST_KERNEL_BYTES) return;
  const needed = `a kernel file of at most ${MOST_KERNEL_BYTES} bytes`;
  throw new UnpinError('FILE_TOO_LARGE', { subject: name, found: `${bytes} bytes`, needed });
}

interface OpenedRequest {
  readonly request: ImageRequest;
  readonly image: NamedFile;
  readonly backing: readonly NamedFile[];
  readonly firmware: NamedFile | undefined;
  readonly initrd: NamedFile | undefined;
  readonly files: readonly NamedFile[];
  readonly error?: undefined;
}

type Opened = OpenedRequest | { readonly error: UnpinError; readonly files?: undefined; readonly image?: undefined };

/** What all of them may take together, and its own start. */
function cpuSecondsOf(opened: readonly Opened[], allowed: ConfinedLimits): number {
  const each = opened.map(({ image }) => (image === undefined ? 0 : limitsFor(allowed, image.head, image.bytes).cpuMs));
  return 10 + each.reduce((sum, ms) => sum + ms, 0) / 1000;
}

/** Whether the process takes it for one as well, by the same bytes. */
function isKernel(opened: Opened): boolean {
  if (opened.error !== undefined || opened.request.as === 'kernel') return true;
  return opened.request.as !== 'disk' && startsAsKernel(opened.image.head);
}

/** Files by their names, each opened once for a batch. */
class OpenFiles {
  readonly #files = new Map<string, Promise<NamedFile>>();
  readonly #close: (() => void)[] = [];

  async openAll(request: ImageRequest): Promise<Opened> {
    try {
      const image = await this.#open(request.image, request.as === 'kernel' ? 'a kernel' : 'a kernel or a disk image');
      checkKernelSize(request, image);
      const backing = await Promise.all((request.backing ?? []).map((name) => this.#open(name, 'a backing file')));
      const firmware = request.firmware === undefined ? undefined : await this.#open(request.firmware, 'firmware');
      const initrd = request.initrd === undefined ? undefined : await this.#open(request.initrd, 'an initrd');
      const files = [image, ...backing, firmware, initrd].filter((file) => file !== undefined);
      return { request, image, backing, firmware, initrd, files };
    } catch (error) {
      return { error: UnpinError.from(error) };
    }
  }

  close(): void {
    for (const close of this.#close.splice(0)) close();
  }

  #open(name: string, needed: string): Promise<NamedFile> {
    const known = this.#files.get(name);
    if (known !== undefined) return known;
    const opening = openNamed(name, needed).then((file) => {
      this.#close.push(() => file.close());
      return file;
    });
    this.#files.set(name, opening);
    return opening;
  }
}
