import { UnpinError, type VmmLastLine, type vmmRoutes } from '@unpin/contract';
import type { Client } from '@unpin/contract/client';
import { readLastLine } from './last-line.ts';
import type { VmDir } from './vm-dir.ts';

type Vmm = Client<typeof vmmRoutes>;

/** A VM's journals from a sequence number on: its VMM's while that answers, then what it said of them at its end. */
export class Journals {
  readonly #vmm: Vmm;
  readonly #dir: VmDir;

  constructor(vmm: Vmm, dir: VmDir) {
    this.#vmm = vmm;
    this.#dir = dir;
  }

  events(since: number): ReturnType<Vmm['listEvents']> {
    return this.#ask(
      () => this.#vmm.listEvents({ query: { since } }),
      ({ events }) => (events === undefined ? undefined : { events: from(since, events) }),
    );
  }

  conversions(since: number): ReturnType<Vmm['listConversions']> {
    return this.#ask(
      () => this.#vmm.listConversions({ query: { since } }),
      ({ conversions, figures }) => {
        const total = figures?.conversions ?? conversions?.length ?? 0;
        if (conversions === undefined) return total === 0 ? { total, conversions: [] } : undefined;
        return { total, conversions: from(since, conversions) };
      },
    );
  }

  lies(since: number): ReturnType<Vmm['listLies']> {
    return this.#ask(
      () => this.#vmm.listLies({ query: { since } }),
      ({ lies = [], report }) => ({ total: report?.lies ?? lies.length, lies: from(since, lies) }),
    );
  }

  async #ask<T>(live: () => Promise<T>, left: (last: VmmLastLine) => T | undefined): Promise<T> {
    try {
      return await live();
    } catch (error) {
      if (!(error instanceof UnpinError) || error.code !== 'SERVER_UNREACHABLE') throw error;
      const last = readLastLine(this.#dir);
      const answer = last === undefined ? undefined : left(last);
      if (answer !== undefined) return answer;
      throw new UnpinError('CONFLICT', {
        subject: this.#dir.path,
        found: last === undefined ? 'no VMM that answers' : 'a VMM that has ended and did not leave this',
        needed: 'a VM that runs',
        cause: error,
      });
    }
  }
}

function from<T extends { readonly seq: number }>(since: number, entries: readonly T[]): T[] {
  return entries.filter(({ seq }) => seq >= since);
}
