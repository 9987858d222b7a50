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
  return text
    .replace(/^( *)\/\/\* (.+?) \| (.+)$/gm, (_, indent, lists, line) => {
      let lines = [indent + line];
      for (const [, name, values] of lists.matchAll(/(\w)=(\S+)/g))
        lines = lines.flatMap((each) => values.split(',').map((value) => each.replaceAll(`$${name}`, value)));
      return lines.join('\n');
    })
    .replace(/\bcase ([\w +]+):/g, (label, sum) => {
      const terms = sum.split('+').map((term) => operations.get(term.trim()) ?? Number(term));
      return terms.some(Number.isNaN) ? label : `case ${terms.reduce((a, b) => a + b)}:`;
    });
}
