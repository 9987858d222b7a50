import { Worker } from 'node:worker_threads';
import { UnpinError } from '@unpin/contract/errors';
import { moduleUrl } from '../program-file.ts';
import type { SubjectAnswers, SubjectOptions, SubjectReply, SubjectRequest } from './subject-messages.ts';

/** Heap of a subject's thread, MiB: images are read there. Guest memory lies outside of it and is bounded by itself. */
const HEAP_MIB = 1024;

interface Waiting {
  readonly resolve: (answer: never) => void;
  readonly reject: (cause: unknown) => void;
}

/** A subject in a thread of its own. */
export class SubjectThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #over: unknown;

  constructor(options: SubjectOptions) {
    this.#worker = new Worker(moduleUrl('prove/subject-worker'), {
      workerData: options,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_MIB },
    });
    this.#worker.on('message', (reply: SubjectReply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if ('error' in reply) waiting?.reject(UnpinError.fromBody(reply.error));
      else waiting?.resolve(reply.answer as never);
    });
    this.#worker.once('error', (cause) => this.#lost(cause));
    this.#worker.once('exit', (code) =>
      this.#lost(
        new UnpinError('VMM_DIED', { subject: `the thread of ${options.type}`, found: `it ended with ${code}` }),
      ),
    );
  }

  /** @throws UnpinError; whatever the thread died of */
  async ask<K extends SubjectRequest['kind']>(
    request: Extract<SubjectRequest, { readonly kind: K }>,
  ): Promise<SubjectAnswers[K]> {
    if (this.#over !== undefined) throw this.#over;
    const id = this.#next++;
    return await new Promise<SubjectAnswers[K]>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, request });
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #lost(cause: unknown): void {
    this.#over ??= cause;
    for (const { reject } of this.#waiting.values()) reject(this.#over);
    this.#waiting.clear();
  }
}
