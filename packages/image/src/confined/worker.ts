import { fstatSync } from 'node:fs';
import { UnpinError } from '@unpin/contract/errors';
import type { GivenFolder } from '../disk/open-disk-folder.ts';
import { FormatError } from '../format-error.ts';
import { inspectImage, type JudgedStartFiles } from '../inspect/inspect-image.ts';
import type { ByteSource } from '../source/byte-source.ts';
import { descriptorSource } from '../source/descriptor-source.ts';
import { toUnpinError } from '../verdict/catalogue-error.ts';
import type { FromConfined, Job, JobFile, ToConfined } from './protocol.ts';
import { RemoteReads } from './remote-source.ts';
import type { SpillPool } from './spill-pool.ts';

/** Bytes of one message with a part of what would boot. */
const PIECE = 2 ** 20;

/** The confined side: works off jobs, one at a time, and always answers. */
export class ConfinedWorker {
  readonly #send: (message: FromConfined) => Promise<void>;
  readonly #remote: RemoteReads;
  readonly #spill: SpillPool;

  /** @param send resolves when the message is on its way: what is sent faster than it is taken fills memory */
  constructor(send: (message: FromConfined) => Promise<void>, spill: SpillPool) {
    this.#send = send;
    this.#spill = spill;
    this.#remote = new RemoteReads(send);
  }

  take(message: ToConfined): void {
    switch (message.type) {
      case 'job':
        void this.#work(message.job);
        return;
      case 'bytes':
      case 'no-bytes':
      case 'opened':
        this.#remote.take(message);
    }
  }

  async #work(job: Job): Promise<void> {
    try {
      const { inspection, start, close } = await this.#inspect(job);
      try {
        if (job.deliver && start !== undefined) await this.#deliver(start);
      } finally {
        close();
      }
      void this.#send({ type: 'done', inspection, spent: this.#spill.used });
      // What was read lies outside of V8's heap, which therefore sees no need to let go of it.
      globalThis.gc?.();
    } catch (error) {
      const spent = this.#spill.used || !isExpected(error);
      void this.#send({ type: 'failed', error: caught(error, job.image.name).toBody(), spent });
    }
  }

  #inspect({ image, backing, firmware, initrd, options }: Job): ReturnType<typeof inspectImage> {
    const before = cpuMs();
    const { as, entry, commandLine, softCpuMs } = options;
    return inspectImage(this.#image(image), {
      as,
      backing: backing.map((file) => this.#source(file)),
      ...(firmware === undefined ? {} : { firmware: this.#source(firmware) }),
      ...(initrd === undefined ? {} : { initrd: this.#source(initrd) }),
      ...(entry === undefined ? {} : { entry }),
      ...(commandLine === undefined ? {} : { commandLine }),
      spill: this.#spill.limitsFor(image.bytes),
      mayGoOn: () => cpuMs() - before < softCpuMs,
      at: (what) => void this.#send({ type: 'at', what }),
    });
  }

  #image(file: JobFile): ByteSource | GivenFolder {
    return file.medium.kind === 'folder' ? this.#remote.folder(file.name, file.medium.id) : this.#source(file);
  }

  #source({ name, bytes, medium }: JobFile): ByteSource {
    switch (medium.kind) {
      case 'descriptor':
        // By the descriptor it was born with: there is nothing else that could be opened.
        return descriptorSource(name, medium.descriptor, fstatSync(medium.descriptor).size);
      case 'remote':
        return this.#remote.source(name, bytes, medium.id);
      case 'folder':
        throw new FormatError('unreadable', name, 0, 'a folder');
    }
  }

  /** The very bytes that were judged are what goes out: read again, they are hashed again by who takes them. */
  async #deliver({ kernel, initrds }: JudgedStartFiles): Promise<void> {
    for (const [part, sources] of [['kernel', [kernel]] as const, ['initrd', initrds] as const])
      for (const source of sources)
        for (let offset = 0; offset < source.size; offset += PIECE)
          await this.#send({
            type: 'part',
            part,
            bytes: await source.read(offset, Math.min(PIECE, source.size - offset)),
          });
  }
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function isExpected(error: unknown): boolean {
  return error instanceof UnpinError || error instanceof FormatError;
}

function caught(error: unknown, subject: string): UnpinError {
  if (error instanceof FormatError) return toUnpinError(error, subject);
  // A typed array that there is no memory for.
  if (error instanceof RangeError && /allocation failed|invalid.*length/i.test(error.message))
    return new UnpinError('IMAGE_OVER_LIMITS', { subject, found: `more memory than there is: ${error.message}` });
  return UnpinError.from(error);
}
