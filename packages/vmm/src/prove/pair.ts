import type { LookAnswer, SubjectAnswers, SubjectOptions, SubjectRequest, WatchedBytes } from './subject-messages.ts';
import { SubjectThread } from './subject-thread.ts';

export type PairOptions = Omit<SubjectOptions, 'type'>;

/** What both answered: first `sev`, then `sev-upm`. */
export type Both<T> = readonly [sev: T, upm: T];

/**
 * One image as `sev` and as `sev-upm`, each in its own thread. Nothing that one does depends on the other, so they need no
 * common step: they are the same for as long as they say the same of themselves.
 */
export class Pair {
  readonly #sev: SubjectThread;
  readonly #upm: SubjectThread;

  constructor(options: PairOptions) {
    this.#sev = new SubjectThread({ ...options, type: 'sev' });
    this.#upm = new SubjectThread({ ...options, type: 'sev-upm' });
  }

  /** @throws what either of them refuses */
  async both<K extends SubjectRequest['kind']>(
    request: Extract<SubjectRequest, { readonly kind: K }>,
  ): Promise<Both<SubjectAnswers[K]>> {
    return await Promise.all([this.#sev.ask(request), this.#upm.ask(request)]);
  }

  /** Both are at their first instruction again, and will do the same again. */
  async restart(): Promise<void> {
    await this.both<'restart'>({ kind: 'restart' });
  }

  async runTo(retired: number): Promise<void> {
    await this.both<'run-to'>({ kind: 'run-to', retired });
  }

  async look(watch?: WatchedBytes): Promise<Both<LookAnswer>> {
    return await this.both({ kind: 'look', ...(watch === undefined ? {} : { watch }) });
  }

  async close(): Promise<void> {
    await Promise.all([this.#sev.close(), this.#upm.close()]);
  }
}
