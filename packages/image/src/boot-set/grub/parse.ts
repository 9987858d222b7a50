import { plainText, type Script, type Statement, type SyntaxProblem, type Word } from './syntax.ts';
import { type Token, tokensOf } from './tokens.ts';

/** Blocks in blocks. Generated configurations have five; GRUB's own limit is its stack. */
const DEPTH_LIMIT = 50;

/** Words that end a list of statements where a command would begin. */
const CLOSING: ReadonlySet<string> = new Set(['then', 'elif', 'else', 'fi', 'do', 'done']);
/** Words that GRUB keeps but has no grammar for. */
const RESERVED: ReadonlySet<string> = new Set(['select', 'case', 'esac', 'in']);

/** No names of functions and variables of loops. */
const KEYWORDS: ReadonlySet<string> = new Set([...CLOSING, ...RESERVED, 'if', 'for', 'while', 'until', 'function']);

/** Reads a script. Never fails: a statement that GRUB would refuse is left out and becomes a problem. */
export function parseScript(text: string): Script {
  return new Parser(tokensOf(text)).script();
}

/** A statement that can't be read; only `script` catches it. */
class Refused extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  script(): Script {
    const statements: Statement[] = [];
    const problems: SyntaxProblem[] = [];
    for (;;) {
      this.#skipNewlines();
      if (this.#peek() === undefined) return { statements, problems };
      try {
        // Only here: GRUB knows no functions in blocks.
        const statement = this.#peekKeyword() === 'function' ? this.#function() : this.#statement();
        if (this.#peek() !== undefined) this.#separator();
        statements.push(statement);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        problems.push({ line: error.line, message: error.message });
        this.#depth = 0;
        this.#skipLine();
      }
    }
  }

  #statement(): Statement {
    const token = this.#peek();
    if (token === undefined) throw this.#refuse('a command is missing at the end');
    if (token.kind !== 'word') throw this.#refuse(`a command was expected, not ${describe(token)}`);
    const keyword = plainText(token.word);
    if (keyword !== undefined && (CLOSING.has(keyword) || RESERVED.has(keyword)))
      throw this.#refuse(`'${keyword}' has nothing to belong to`);
    if (++this.#depth > DEPTH_LIMIT) throw this.#refuse(`more than ${DEPTH_LIMIT} blocks in blocks`);
    const statement = this.#byKeyword(keyword, token.line);
    this.#depth--;
    return statement;
  }

  #byKeyword(keyword: string | undefined, line: number): Statement {
    switch (keyword) {
      case 'if':
        return this.#if(line);
      case 'for':
        return this.#for(line);
      case 'while':
      case 'until':
        return this.#while(line, keyword === 'until');
      case 'function':
        throw this.#refuse('a function within a block');
      case undefined:
      default:
        return this.#command(line);
    }
  }

  #if(line: number): Statement {
    const branches: { condition: Statement[]; body: Statement[] }[] = [];
    let otherwise: Statement[] = [];
    for (let opened = this.#keyword(); ; opened = this.#keyword()) {
      if (opened === 'fi') break;
      if (opened === 'else') {
        otherwise = this.#list(['fi']);
        this.#keyword();
        break;
      }
      const condition = this.#list(['then']);
      this.#keyword();
      branches.push({ condition, body: this.#list(['elif', 'else', 'fi']) });
    }
    return { kind: 'if', line, branches, otherwise };
  }

  #for(line: number): Statement {
    this.#at++;
    const name = this.#name();
    if (this.#keyword() !== 'in') throw this.#refuse("'in' is missing");
    const words: Word[] = [];
    for (let token = this.#peek(); token?.kind === 'word'; token = this.#peek()) {
      words.push(token.word);
      this.#at++;
    }
    const body = this.#loop();
    return { kind: 'for', line, name, words, body };
  }

  #while(line: number, until: boolean): Statement {
    this.#at++;
    const condition = this.#list(['do']);
    this.#keyword();
    const body = this.#list(['done']);
    this.#keyword();
    return { kind: 'while', line, until, condition, body };
  }

  #loop(): Statement[] {
    this.#separator();
    if (this.#keyword() !== 'do') throw this.#refuse("'do' is missing");
    const body = this.#list(['done']);
    this.#keyword();
    return body;
  }

  #function(): Statement {
    const line = this.#peek()?.line ?? 0;
    this.#at++;
    const name = this.#name();
    this.#skipNewlines();
    if (this.#peek()?.kind !== '{') throw this.#refuse(`function ${name} has no body`);
    return { kind: 'function', line, name, body: this.#block() };
  }

  #command(line: number): Statement {
    const words: Word[] = [];
    for (let token = this.#peek(); token?.kind === 'word'; token = this.#peek()) {
      words.push(token.word);
      this.#at++;
    }
    const block = this.#peek()?.kind === '{' ? this.#block() : undefined;
    return { kind: 'command', line, words, block };
  }

  /** `{ … }`. */
  #block(): Statement[] {
    const opened = this.#peek()?.line ?? 0;
    this.#at++;
    this.#skipNewlines();
    const statements: Statement[] = [];
    do {
      if (this.#peek() === undefined) throw new Refused(opened, "a '}' is missing at the end");
      statements.push(this.#statement());
      if (this.#peek()?.kind !== '}') this.#separator();
    } while (this.#peek()?.kind !== '}');
    this.#at++;
    return statements;
  }

  /** Statements, one at least, up to one of the keywords, which is left. */
  #list(until: readonly string[]): Statement[] {
    const statements: Statement[] = [];
    this.#skipNewlines();
    for (let keyword: string | undefined; keyword === undefined || !until.includes(keyword); ) {
      if (this.#peek() === undefined) throw this.#refuse(`'${until.join("' or '")}' is missing`);
      statements.push(this.#statement());
      this.#separator();
      keyword = this.#peekKeyword();
    }
    return statements;
  }

  /** What ends a command: a line's end or one semicolon, and further lines' ends. */
  #separator(): void {
    const token = this.#peek();
    if (token === undefined) throw this.#refuse('it ends within a block');
    if (token.kind !== 'newline' && token.kind !== 'semicolon')
      throw this.#refuse(`${describe(token)} after a command`);
    this.#at++;
    this.#skipNewlines();
  }

  #name(): string {
    const token = this.#peek();
    const name = token?.kind === 'word' ? plainText(token.word) : undefined;
    if (name === undefined || !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) || KEYWORDS.has(name))
      throw this.#refuse('a name is missing');
    this.#at++;
    return name;
  }

  /** Takes a keyword. */
  #keyword(): string | undefined {
    const keyword = this.#peekKeyword();
    if (keyword !== undefined) this.#at++;
    return keyword;
  }

  #peekKeyword(): string | undefined {
    const token = this.#peek();
    return token?.kind === 'word' ? plainText(token.word) : undefined;
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #skipNewlines(): void {
    while (this.#peek()?.kind === 'newline') this.#at++;
  }

  #skipLine(): void {
    while (this.#at < this.#tokens.length && this.#peek()?.kind !== 'newline') this.#at++;
  }

  #refuse(message: string): Refused {
    return new Refused(this.#peek()?.line ?? this.#tokens.at(-1)?.line ?? 1, message);
  }
}

function describe(token: Token): string {
  switch (token.kind) {
    case 'word':
      return 'a word';
    case 'wrong':
      return token.text === '"' || token.text === "'" ? `a ${token.text} that doesn't end` : `'${token.text}'`;
    case 'newline':
      return "the line's end";
    case 'semicolon':
      return "';'";
    case '{':
    case '}':
      return `'${token.kind}'`;
  }
}
