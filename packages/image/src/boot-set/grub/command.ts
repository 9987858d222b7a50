import type { Machine } from './machine.ts';
import type { Statement, Word } from './syntax.ts';
import type { Status } from './test-expression.ts';

/** How a command was called. */
export interface Call {
  readonly name: string;
  readonly line: number;
  readonly words: readonly Word[];
  readonly block: readonly Statement[] | undefined;
  /** Runs the text of another script. */
  readonly run: (machine: Machine, text: string) => Promise<void>;
}

export type Command = (machine: Machine, args: readonly string[], call: Call) => Status | Promise<Status>;

/** A status that nothing on a disk tells. */
export function untold(name: string, args: readonly string[]): Status {
  return { unknown: `what '${[name, ...args].join(' ')}' answers` };
}
