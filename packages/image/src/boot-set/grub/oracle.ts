/**
 * What nothing on a disk tells: whether a key is pressed, what a machine's tables say, what a command would answer
 * that isn't understood. A configuration is run once for every answer; where all runs end alike the answer didn't
 * matter.
 */
export class Oracle {
  readonly #script: readonly number[];
  readonly #answers = new Map<string, number>();
  readonly #taken: { readonly question: string; readonly answers: number; readonly taken: number }[] = [];

  /** @param script answers to the first questions; to further ones it is 0 */
  constructor(script: readonly number[]) {
    this.#script = script;
  }

  /** Whether more was asked than is kept: what was answered then is one of several. */
  overwhelmed = false;

  /** An answer, from 0 to `answers` - 1; always the same to the same question. */
  choose(question: string, answers: number): number {
    const known = this.#answers.get(question);
    if (known !== undefined) return known;
    if (this.#taken.length >= QUESTION_LIMIT) {
      this.overwhelmed = true;
      return 0;
    }
    const taken = this.#script[this.#taken.length] ?? 0;
    this.#answers.set(question, taken);
    this.#taken.push({ question, answers, taken });
    return taken;
  }

  /** What was asked, in order. */
  get questions(): readonly string[] {
    return this.#taken.map(({ question }) => (question.length > SHOWN ? `${question.slice(0, SHOWN)}…` : question));
  }

  /** The script of the next run; undefined where all have been. */
  next(): readonly number[] | undefined {
    const last = this.#taken.findLastIndex((each) => each.taken + 1 < each.answers);
    if (last < 0) return undefined;
    return this.#taken.slice(0, last + 1).map((each, index) => each.taken + (index === last ? 1 : 0));
  }
}

/** Questions of one run; 2 to the power of them are its worlds. */
const QUESTION_LIMIT = 60;
/** Characters of a question that a person is shown. */
const SHOWN = 120;

export interface Worlds<T> {
  readonly results: readonly T[];
  /** All that was asked in any of them. */
  readonly questions: readonly string[];
  /** Whether every combination of answers was run. */
  readonly complete: boolean;
}

/** Runs under every combination of answers, at most `limit` of them. */
export async function everyWorld<T>(limit: number, run: (oracle: Oracle) => Promise<T>): Promise<Worlds<T>> {
  const results: T[] = [];
  const questions = new Set<string>();
  let overwhelmed = false;
  let script: readonly number[] | undefined = [];
  while (script !== undefined && results.length < limit) {
    const oracle = new Oracle(script);
    results.push(await run(oracle));
    for (const question of oracle.questions) questions.add(question);
    overwhelmed ||= oracle.overwhelmed;
    script = oracle.next();
  }
  return { results, questions: [...questions], complete: script === undefined && !overwhelmed };
}

/** Stands in a variable's value for what can't be told. Not a character of any text (a noncharacter of Unicode). */
export const UNKNOWN = '\u{10fffe}';

export function isUnknown(text: string): boolean {
  return text.includes(UNKNOWN);
}
