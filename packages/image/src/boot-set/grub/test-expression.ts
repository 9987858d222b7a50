import { isUnknown } from './oracle.ts';

/** What a command ends in: its success, or the question that decides it. */
export type Status = boolean | { readonly unknown: string };

/** What `test` asks of files; `undefined` where it can't be told. */
export type FileTest = (operator: '-d' | '-e' | '-f' | '-s', path: string) => Promise<boolean | undefined>;

/** Words in parentheses in parentheses; more are no expression that anybody writes. */
const DEPTH_LIMIT = 20;

const TEXT: Readonly<Record<string, (a: string, b: string) => boolean>> = {
  '=': (a, b) => a === b,
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

const NUMBER: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '-eq': (a, b) => a === b,
  '-ne': (a, b) => a !== b,
  '-lt': (a, b) => a < b,
  '-le': (a, b) => a <= b,
  '-gt': (a, b) => a > b,
  '-ge': (a, b) => a >= b,
};

/** Times and numbers after a common prefix: nothing here tells them. */
const UNTOLD = /^-[no]t$|^-p[gl]t$|^-nt-?\d*$|^-ot-?\d*$/;

/** `test` and `[`, without the closing bracket. As POSIX's: `-a` binds closer than `-o`, `!` closer than both. */
export async function testExpression(words: readonly string[], files: FileTest): Promise<Status> {
  const run = new Expression(words, files);
  return await run.all();
}

class Expression {
  readonly #words: readonly string[];
  readonly #files: FileTest;
  #at = 0;
  #depth = 0;

  constructor(words: readonly string[], files: FileTest) {
    this.#words = words;
    this.#files = files;
  }

  async all(): Promise<Status> {
    // GRUB's own, unlike a shell's, holds without words.
    if (this.#words.length === 0) return true;
    const status = await this.#or();
    return this.#at < this.#words.length ? this.#unknown() : status;
  }

  async #or(): Promise<Status> {
    let status = await this.#and();
    while (this.#peek() === '-o') {
      this.#at++;
      status = either(status, await this.#and());
    }
    return status;
  }

  async #and(): Promise<Status> {
    let status = await this.#not();
    while (this.#peek() === '-a') {
      this.#at++;
      status = negate(either(negate(status), negate(await this.#not())));
    }
    return status;
  }

  async #not(): Promise<Status> {
    let negated = false;
    // `!` alone, or before an operator of two words, is a text.
    while (this.#peek() === '!' && this.#at + 1 < this.#words.length && !this.#isBinaryAt(this.#at + 1)) {
      negated = !negated;
      this.#at++;
    }
    const status = await this.#term();
    return negated ? negate(status) : status;
  }

  async #term(): Promise<Status> {
    const word = this.#peek();
    if (word === undefined) return this.#unknown();
    if (word === '(' && !this.#isBinaryAt(this.#at + 1)) {
      if (++this.#depth > DEPTH_LIMIT) return this.#unknown();
      this.#at++;
      const status = await this.#or();
      if (this.#peek() !== ')') return this.#unknown();
      this.#at++;
      this.#depth--;
      return status;
    }
    if (this.#isBinaryAt(this.#at + 1) && this.#at + 2 < this.#words.length) return this.#binary(word);
    const operand = this.#words[this.#at + 1];
    if (/^-[nzdefs]$/.test(word) && operand !== undefined) {
      this.#at += 2;
      return await this.#unary(word, operand);
    }
    this.#at++;
    return isUnknown(word) ? this.#unknown() : word !== '';
  }

  #binary(left: string): Status {
    const operator = this.#words[this.#at + 1] ?? '';
    const right = this.#words[this.#at + 2] ?? '';
    this.#at += 3;
    if (isUnknown(left) || isUnknown(right)) return this.#unknown();
    const text = TEXT[operator];
    if (text !== undefined) return text(left, right);
    const number = NUMBER[operator];
    if (number !== undefined) return number(numberOf(left), numberOf(right));
    return this.#unknown();
  }

  async #unary(operator: string, operand: string): Promise<Status> {
    if (isUnknown(operand)) return this.#unknown();
    switch (operator) {
      case '-n':
        return operand !== '';
      case '-z':
        return operand === '';
      case '-d':
      case '-e':
      case '-f':
      case '-s':
        return (await this.#files(operator, operand)) ?? this.#unknown();
      default:
        return this.#unknown();
    }
  }

  #isBinaryAt(index: number): boolean {
    const word = this.#words[index];
    return word !== undefined && (Object.hasOwn(TEXT, word) || Object.hasOwn(NUMBER, word) || UNTOLD.test(word));
  }

  #peek(): string | undefined {
    return this.#words[this.#at];
  }

  #unknown(): Status {
    return { unknown: `whether [ ${this.#words.join(' ')} ] holds` };
  }
}

/** Decimal, hexadecimal or octal as C's strtol with base 0; what is no number is 0. */
function numberOf(text: string): number {
  const match = /^\s*([-+]?)(0x[0-9a-f]+|0[0-7]*|[1-9][0-9]*)/i.exec(text);
  if (match === null) return 0;
  const [, sign, digits = '0'] = match;
  const value = /^0[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number(digits);
  return sign === '-' ? -value : value;
}

export function negate(status: Status): Status {
  return typeof status === 'boolean' ? !status : status;
}

function either(a: Status, b: Status): Status {
  if (a === true || b === true) return true;
  if (a === false) return b;
  return a;
}
