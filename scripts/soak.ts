/**
 * npm run soak: every property test with many times its runs, from one random seed that is printed, and the tests that are
 * too long for CI (packages/<room>/soak/**.soak.ts).
 * `--factor N` (default 20) times the usual runs, `--seed N` to repeat a soak; other arguments select files by name.
 */
import { randomInt } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { parseArgs } from 'node:util';

const root = join(import.meta.dirname, '..');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    factor: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(randomInt(2 ** 31 - 1)) },
  },
});
const properties = globSync('packages/*/test/**/*.test.ts', { cwd: root }).filter((file) =>
  readFileSync(join(root, file), 'utf8').includes("from 'fast-check'"),
);
const files = [...properties, ...globSync('packages/*/soak/**/*.soak.ts', { cwd: root })]
  .filter((file) => positionals.length === 0 || positionals.some((part) => file.includes(part)))
  .sort()
  .map((file) => join(root, file));

console.log(`${files.length} files; properties with ${values.factor} times the runs, seed ${values.seed}`);
process.env['UNPIN_SOAK_FACTOR'] = values.factor;
process.env['UNPIN_SOAK_SEED'] = values.seed;
const stream = run({
  files,
  cwd: root,
  concurrency: 2,
  execArgv: ['--import', join(root, 'scripts/soak/preload.ts')],
  // An hour for a file, and more for more than the usual.
  timeout: 3_600_000 * Math.max(1, Number(values.factor) / 20),
});
stream.on('test:fail', () => {
  process.exitCode = 1;
});
stream.compose(new spec()).pipe(process.stdout);
