import type { DecidedBy } from '@unpin/contract';
import { UnpinError } from '@unpin/contract/errors';
import type { BootChoice, BootEntry } from '../boot-set/boot-choice.ts';

export interface ChosenStarts {
  /** Indexes of the choice's entries that the verdict is on. */
  readonly counting: readonly number[];
  readonly decidedBy: DecidedBy;
}

export const NOTHING_CHOSEN: ChosenStarts = { counting: [], decidedBy: 'nothing' };

/**
 * Which of the starts that a disk offers count: the one that was asked for, the loader's default, else all of them. Pure.
 * @param asked an entry's title, or its number from 1 on
 * @throws UnpinError NOT_FOUND with what there is
 */
export function chooseStarts({ entries, preferred }: BootChoice, asked: string | undefined): ChosenStarts {
  if (asked !== undefined) return { counting: [findEntry(entries, asked)], decidedBy: 'asked' };
  if (entries.length === 0) return NOTHING_CHOSEN;
  if (preferred !== undefined && entries[preferred] !== undefined)
    return { counting: [preferred], decidedBy: entries.length === 1 ? 'only' : 'default' };
  return { counting: [...entries.keys()], decidedBy: entries.length === 1 ? 'only' : 'worst' };
}

function findEntry(entries: readonly BootEntry[], asked: string): number {
  const exact = entries.findIndex(({ title }) => title === asked);
  if (exact >= 0) return exact;
  const number = /^[1-9]\d{0,4}$/.test(asked) ? Number(asked) - 1 : -1;
  if (entries[number] !== undefined) return number;
  throw new UnpinError('NOT_FOUND', {
    subject: `entry '${asked}'`,
    needed:
      entries.length === 0
        ? 'an image with boot entries'
        : entries.map(({ title }, index) => `${index + 1} '${title}'`).join(', '),
  });
}
