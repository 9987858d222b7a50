import type { Kysely } from 'kysely';
import { headRevision } from './changes.ts';
import type { Doorbell } from './doorbell.ts';
import type { Schema } from './schema.ts';
import type { Db } from './store.ts';

interface Intent {
  readonly body: (db: Db) => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** What differs from one engine to another. */
export interface CommitRules {
  /** The first statement of each transaction: what makes it the only writer. */
  begin?(db: Db): Promise<unknown>;
  /** The last statements of a transaction that adds to the change log. @param head the log's, if it is committed */
  announce?(db: Db, head: number): Promise<unknown>;
  /** Whether the whole transaction is gone after this error, not only a statement of it. */
  endsTransaction(error: unknown): boolean;
}

/** Most bodies of one transaction: bounds how long the first waits for the last. */
const MOST_AT_ONCE = 256;

/**
 * The single writer of this process. A durable commit costs an fsync (milliseconds); bodies that arrive in the same turn of the event
 * loop share one. Each runs in a savepoint: one that throws takes back its own writes alone.
 */
export class GroupCommit {
  readonly #db: Kysely<Schema>;
  readonly #doorbell: Doorbell;
  readonly #rules: CommitRules;
  #waiting: Intent[] = [];
  #running: Promise<void> | undefined;

  /** @param doorbell rung after each commit that adds to the change log, before its bodies are answered */
  constructor(db: Kysely<Schema>, doorbell: Doorbell, rules: CommitRules) {
    this.#db = db;
    this.#doorbell = doorbell;
    this.#rules = rules;
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
      await this.#rules.begin?.(transaction);
      const outcomes: Outcome[] = [];
      for (const intent of batch) {
        const inside = await transaction.savepoint('body').execute();
        try {
          outcomes.push({ value: await intent.body(inside) });
          await inside.releaseSavepoint('body').execute();
        } catch (error) {
          if (this.#rules.endsTransaction(error)) throw error;
          await inside.rollbackToSavepoint('body').execute();
          await inside.releaseSavepoint('body').execute();
          outcomes.push({ error });
        }
      }
      const head = await headRevision(transaction);
      if (head > this.#doorbell.revision) await this.#rules.announce?.(transaction, head);
      await transaction.commit().execute();
      // Asked before the commit: nothing that can fail may stand between it and its answers.
      this.#doorbell.ring(head);
      return outcomes;
    } catch (error) {
      // SQLite has often rolled back by itself (a full disk does that), and a connection may be lost: nothing is left then.
      await transaction
        .rollback()
        .execute()
        .catch(() => undefined);
      throw error;
    }
  }
}
