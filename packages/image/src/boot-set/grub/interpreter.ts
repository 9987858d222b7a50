import { COMMANDS } from './commands.ts';
import { CALL_LIMIT, type Machine } from './machine.ts';
import { parseScript } from './parse.ts';
import type { Statement } from './syntax.ts';
import { negate, type Status } from './test-expression.ts';
import { expandWords } from './words.ts';

/** Runs statements until their end, or until something leads out of them (`machine.flow`). */
export async function runStatements(machine: Machine, statements: readonly Statement[]): Promise<void> {
  for (const statement of statements) {
    if (machine.flow !== undefined) return;
    if (!machine.step(statement.line)) return;
    await runStatement(machine, statement);
  }
}

/** Reads and runs a script. What of it GRUB would refuse is a problem: what it would have done isn't known. */
export async function runScript(machine: Machine, text: string): Promise<void> {
  const { parsed } = machine.shared;
  const script = parsed.get(text) ?? parseScript(text);
  parsed.set(text, script);
  for (const { line, message } of script.problems) machine.problem(line, `not understood: ${message}`);
  await runStatements(machine, script.statements);
}

async function runStatement(machine: Machine, statement: Statement): Promise<void> {
  switch (statement.kind) {
    case 'command':
      return await runCommand(machine, statement);
    case 'function':
      machine.functions.set(statement.name, { body: statement.body, file: machine.file });
      machine.status = true;
      return;
    case 'if':
      for (const { condition, body } of statement.branches) {
        await runStatements(machine, condition);
        if (machine.flow !== undefined) return;
        if (machine.decide(machine.status)) return await runStatements(machine, body);
      }
      machine.status = true;
      return await runStatements(machine, statement.otherwise);
    case 'for':
      machine.status = true;
      for (const value of await expandWords(machine, statement.words)) {
        machine.env.set(statement.name, value);
        if (!machine.step(statement.line)) return;
        await runLoopBody(machine, statement.body);
        if (leavesLoop(machine)) return;
      }
      return;
    case 'while':
      for (;;) {
        await runStatements(machine, statement.condition);
        if (machine.flow !== undefined || !machine.step(statement.line)) return;
        if (machine.decide(machine.status) === statement.until) return;
        await runLoopBody(machine, statement.body);
        if (leavesLoop(machine)) return;
      }
  }
}

async function runLoopBody(machine: Machine, body: readonly Statement[]): Promise<void> {
  machine.loops++;
  await runStatements(machine, body);
  machine.loops--;
}

/** Whether what leads out of a loop's body leads out of the loop. */
function leavesLoop(machine: Machine): boolean {
  const flow = machine.flow;
  if (flow === undefined) return false;
  if (flow.kind !== 'break' && flow.kind !== 'continue') return true;
  if (--flow.levels > 0) return true;
  machine.flow = undefined;
  return flow.kind === 'break';
}

async function runCommand(machine: Machine, statement: Extract<Statement, { kind: 'command' }>): Promise<void> {
  let words = await expandWords(machine, statement.words);
  let inverted = false;
  while (words[0] === '!') {
    inverted = !inverted;
    words = words.slice(1);
  }
  const [name, ...args] = words;
  if (name === undefined || machine.flow !== undefined) return;
  const status = await call(machine, name, args, statement);
  machine.status = inverted ? negate(status) : status;
}

async function call(
  machine: Machine,
  name: string,
  args: readonly string[],
  statement: Extract<Statement, { kind: 'command' }>,
): Promise<Status> {
  const command = COMMANDS.get(name);
  const { line, block, words } = statement;
  if (command !== undefined) {
    machine.depth++;
    const status =
      machine.depth > CALL_LIMIT
        ? tooDeep(machine, line)
        : await command(machine, args, { name, line, block, words, run: runScript });
    machine.depth--;
    return status;
  }
  const called = machine.functions.get(name);
  if (called !== undefined) return await callFunction(machine, called, args, line);
  const equals = name.indexOf('=');
  if (equals > 0) {
    machine.env.set(name.slice(0, equals), name.slice(equals + 1));
    return true;
  }
  machine.problem(line, `the command '${name}' is not understood`);
  return { unknown: `what '${[name, ...args].join(' ')}' answers` };
}

async function callFunction(
  machine: Machine,
  { body, file }: { readonly body: readonly Statement[]; readonly file: string },
  args: readonly string[],
  line: number,
): Promise<Status> {
  if (machine.depth >= CALL_LIMIT) return tooDeep(machine, line);
  const { parameters: outer, file: from, loops } = machine;
  machine.loops = 0;
  machine.parameters = args;
  machine.file = file;
  machine.depth++;
  await runStatements(machine, body);
  machine.depth--;
  machine.parameters = outer;
  machine.file = from;
  machine.loops = loops;
  if (machine.flow !== undefined && machine.flow.kind !== 'end') machine.flow = undefined;
  return machine.status;
}

function tooDeep(machine: Machine, line: number): Status {
  machine.problem(line, `more than ${CALL_LIMIT} calls within calls`);
  machine.end({ kind: 'lost' });
  return false;
}
