/** Tells waiting watches that the change log has grown. It carries no news: who hears it, reads. */
export class Doorbell {
  readonly #waiting = new Set<() => void>();
  #revision = 0;

  /** The change log's head as of the last ring. */
  get revision(): number {
    return this.#revision;
  }

  ring(revision: number): void {
    if (revision <= this.#revision) return;
    this.#revision = revision;
    for (const wake of this.#waiting) wake();
  }

  /** Resolves at the next ring, after a time in milliseconds, or when the signal fires; never rejects. */
  heard(waitMs: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      this.#waiting.delete(done);
      resolve();
    };
    const timer = setTimeout(done, waitMs);
    signal.addEventListener('abort', done, { once: true });
    this.#waiting.add(done);
    if (signal.aborted) done();
    return promise;
  }
}
