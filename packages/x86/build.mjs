/**
 * Compiles the interpreter: assembly/ (AssemblyScript) → generated/x86.wasm. Runs after `npm ci` (the workspace's
 * `prepare`) and takes a few seconds; does nothing where the module is newer than its sources. `--force` builds anyway,
 * `--text` leaves x86.wat beside it.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, 'generated/x86.wasm');
const sources = [
  fileURLToPath(import.meta.url),
  join(here, 'src/layout.ts'),
  ...['assembly', 'src/ops'].flatMap((folder) =>
    readdirSync(join(here, folder)).map((name) => join(here, folder, name)),
  ),
];

if (
  !process.argv.includes('--force') &&
  existsSync(target) &&
  sources.every((path) => statSync(path).mtimeMs < statSync(target).mtimeMs)
)
  process.exit(0);

/** The numbers of src/ops/integer.ts by name. */
const operations = new Map(
  Array.from(
    readFileSync(join(here, 'src/ops/integer.ts'), 'utf8').matchAll(/^export const (\w+) = (\d+);$/gm),
    ([, name, number]) => [name, Number(number)],
  ),
);

const { default: asc } = await import('assemblyscript/asc');
mkdirSync(join(here, 'generated'), { recursive: true });
const { error } = await asc.main(
  [
    join('assembly', 'index.ts'),
    '--baseDir',
    here,
    '--outFile',
    'generated/x86.wasm',
    ...(process.argv.includes('--text') ? ['--textFile', 'generated/x86.wat'] : []),
    '--runtime',
    'stub',
    '--importMemory',
    '--sharedMemory',
    '--initialMemory',
    '65536',
    '--maximumMemory',
    '65536',
    // Tables of constants lie between the TLBs and the code cache: src/layout.ts.
    '--memoryBase',
    String(0x3_0000),
    '--enable',
    'threads,simd,bulk-memory',
    '--noAssert',
    '-O3',
  ],
  { stderr: process.stderr, readFile },
);
if (error) throw error;

/** What the compiler reads; null where there is no such file. */
function readFile(name, base) {
  const path = join(base, name);
  return existsSync(path) ? writtenOut(readFileSync(path, 'utf8')) : null;
}

/**
 * Lines that differ in a word only are written once: `//* k=ADD,SUB b=32,64 | … $k … $b …` stands for four. AssemblyScript
 * has no macros, and the run loop must be one function. Case labels become numbers here: sums of names would be found
 * constant too late for all of them to be one table.
 */
function writtenOut(text) {
  const numbered = text
    .replace(/^( *)\/\/\* (.+?) \| (.+)$/gm, (_, indent, lists, line) => {
      let lines = [indent + line];
      for (const [, name, values] of lists.matchAll(/(\w)=(\S+)/g))
        lines = lines.flatMap((each) => values.split(',').map((value) => each.replaceAll(`$${name}`, value)));
      return lines.join('\n');
    })
    .replace(/\bcase ([\w +]+):/g, (label, sum) => {
      const number = numberOf(sum);
      return Number.isNaN(number) ? label : `case ${number}:`;
    });
  return numbered.replace(/^( *)\/\/\+ pairs$/m, (_, indent) =>
    pairCases(numbered)
      .map((line) => indent + line)
      .join('\n'),
  );
}

/** Value of a sum of names of src/ops/integer.ts and numbers. */
function numberOf(sum) {
  return sum
    .split('+')
    .map((term) => operations.get(term.trim()) ?? Number(term))
    .reduce((a, b) => a + b);
}

/**
 * A case for each pair of src/ops/pairs.ts: what the first does, and unless that went elsewhere, what the second does. Behind a
 * write the second may have changed.
 */
function pairCases(text) {
  const bodies = new Map(
    Array.from(text.matchAll(/((?:\bcase \d+: )+)(.*?)(?= case \d|$)/gm)).flatMap(([, labels, body]) =>
      Array.from(labels.matchAll(/\d+/g), ([number]) => [Number(number), body]),
    ),
  );
  const pairs = readFileSync(join(here, 'src/ops/pairs.ts'), 'utf8').matchAll(/^ {2}\[(.+), (.+)\],$/gm);
  return Array.from(pairs, ([line, first, second], index) => {
    const [one, two] = [first, second].map((sum) => bodies.get(numberOf(sum)));
    if (!one?.endsWith('continue;') || /\bbreak;|\bop\b/.test(one) || !two || /\bop\b/.test(two))
      throw new Error(`no pair:${line}`);
    const label = `case ${operations.get('OP_PAIRS') + index}:`;
    if (one.endsWith(' pc += 32; continue;')) return `${label} ${one.slice(0, -'continue;'.length)}${two}`;
    const writes = /movM|pushed|aluM/.test(one) ? ' || !load<u16>(pc, UOP_OP)' : '';
    return `${label} n = pc + 32; ${one.slice(0, -'continue;'.length)}if (pc != n${writes}) continue; ${two}`;
  });
}
