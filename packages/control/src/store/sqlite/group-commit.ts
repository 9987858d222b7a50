import type { Kysely } from 'kysely';
import type { Schema } from '../schema.ts';
import type { Db } from '../store.ts';
import { endsTransaction } from './failure.ts';

interface Intent {
  readonly body: (db: Db) => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** Most bodies of one transaction: bounds how long the first waits for the last. */
const MOST_AT_ONCE = 256;

/**
 * The single writer. A durable commit costs an fsync (milliseconds); bodies that arrive in the same turn of the event
 * loop share one. Each runs in a savepoint: one that throws takes back its own writes alone.
 */
export class GroupCommit {
  readonly #db: Kysely<Schema>;
  readonly #committed: () => Promise<void>;
  #waiting: Intent[] = [];
  #running: Promise<void> | undefined;

  /** `committed` runs after each commit, before its bodies are answered. */
  constructor(db: Kysely<Schema>, committed: () => Promise<void>) {
    this.#db = db;
    this.#committed = committed;
  }

  submit<T>(body: (db: Db) => Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.push({ body, resolve, reject });
    this.#running ??= this.#drain();
    return promise as Promise<T>;
  }

  /** Resolves when nothing is left to write. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #drain(): Promise<void> {
    try {
      while (this.#waiting.length > 0) {
        await new Promise((turn) => setImmediate(turn));
        await this.#commit(this.#waiting.splice(0, MOST_AT_ONCE));
      }
    } finally {
      this.#running = undefined;
    }
  }

  async #commit(batch: readonly Intent[]): Promise<void> {
    try {
      const outcomes = await this.#transaction(batch);
      await this.#committed();
      batch.forEach((intent, i) => {
        const outcome = outcomes[i];
        if (outcome !== undefined && 'value' in outcome) intent.resolve(outcome.value);
        else intent.reject(outcome?.error);
      });
    } catch (error) {
      for (const intent of batch) intent.reject(error);
    }
  }

  async #transaction(batch: readonly Intent[]): Promise<Outcome[]> {
    const transaction = await this.#db.startTransaction().execute();
    try {
      const outcomes: Outcome[] = [];
      for (const intent of batch) {
        const inside = await transaction.savepoint('body').execute();
        try {
          outcomes.push({ value: await intent.body(inside) });
          await inside.releaseSavepoint('body').execute();
        } catch (error) {
          if (endsTransaction(error)) throw error;
          await inside.rollbackToSavepoint('body').execute();
          await inside.releaseSavepoint('body').execute();
          outcomes.push({ error });
        }
      }
      await transaction.commit().execute();
      return outcomes;
    } catch (error) {
      // SQLite has often rolled back by itself (a full disk does that); then there is nothing left to roll back.
      await transaction
        .rollback()
        .execute()
        .catch(() => undefined);
      throw error;
    }
  }
}
