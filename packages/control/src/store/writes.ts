import { UnpinError } from '@unpin/contract';
import type { GroupCommit } from './group-commit.ts';
import type { Store, StoreState } from './store.ts';

/** The half of a store that writes, whatever its engine: bodies go to the group commit, and how the last one went is kept. */
export class Writes {
  readonly #commits: GroupCommit;
  readonly #translate: (error: unknown) => unknown;
  #state: StoreState = { state: 'ok' };

  /** @param translate an engine's error in the catalogue's words */
  constructor(commits: GroupCommit, translate: (error: unknown) => unknown) {
    this.#commits = commits;
    this.#translate = translate;
  }

  readonly state: Store['state'] = () => this.#state;

  readonly write: Store['write'] = async (body) => {
    try {
      const answer = await this.#commits.submit(body);
      this.#state = { state: 'ok' };
      return answer;
    } catch (error) {
      const known = this.#translate(error);
      if (known instanceof UnpinError && known.code === 'DATABASE_FULL')
        this.#state = { state: 'read-only', problem: known.message };
      throw known;
    }
  };
}
