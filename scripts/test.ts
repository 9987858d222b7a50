/**
 * npm test: every packages/<room>/test/**.test.ts and scripts/test/**.test.ts in a process of its own.
 * In CI a skipped test is a failure, unless its reason names something that a machine can't have (MAY_LACK).
 *
 * Arguments: parts of file paths to run only those.
 */
import { globSync } from 'node:fs';
import { join, relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

const root = join(import.meta.dirname, '..');
/** What a machine may lack even in CI, its kernel and processor included; skip reasons must say it in these words. */
const MAY_LACK = [
  /\/dev\/kvm/,
  /this machine has no sev(-es|-snp)?\b/,
  /KVM_SW_PROTECTED_VM/,
  /no guest_memfd that user space can map/,
  /no userfaultfd/,
];

const wanted = process.argv.slice(2).filter((arg) => !arg.startsWith('-'));
const files = globSync(['packages/*/test/**/*.test.ts', 'scripts/test/**/*.test.ts'], { cwd: root })
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .sort()
  .map((file) => join(root, file));

/**
 * Milliseconds for a file: a bound on what hangs, far above what the slowest takes on two busy cores (the boot matrix
 * 15 minutes).
 */
const FILE_MS = 2_400_000;

const ci = process.env['CI'] === 'true' || process.env['CI'] === '1';
const tally = { passed: 0, failed: 0, skipped: 0 };
const forbidden: string[] = [];
/** How many of the slowest files are named at the end. */
const SLOWEST = 12;
const took: { readonly file: string; readonly seconds: number }[] = [];

const stream = run({ files, cwd: root, concurrency: 2, timeout: FILE_MS });
stream.on('test:pass', (event) => {
  if (event.details.type === 'suite') return;
  if (event.skip === undefined) {
    tally.passed++;
    return;
  }
  tally.skipped++;
  const reason = typeof event.skip === 'string' ? event.skip : '';
  if (!MAY_LACK.some((pattern) => pattern.test(reason)))
    forbidden.push(`${event.name}: ${reason || 'no reason given'}`);
});
stream.on('test:fail', (event) => {
  if (event.details.type !== 'suite') tally.failed++;
  process.exitCode = 1;
});
stream.on('test:summary', (event) => {
  if (event.file !== undefined) took.push({ file: event.file, seconds: event.duration_ms / 1000 });
  else if (!event.success) process.exitCode = 1;
});
stream.compose(new spec()).pipe(process.stdout);
stream.on('end', () => {
  setImmediate(() => {
    if (ci && forbidden.length > 0) {
      console.error(
        `\nSkipped in CI, where nothing may be skipped but what a machine can't have:\n${forbidden.join('\n')}`,
      );
      process.exitCode = 1;
    }
    console.log(`\nslowest files, in seconds:`);
    for (const { file, seconds } of took.toSorted((a, b) => b.seconds - a.seconds).slice(0, SLOWEST))
      console.log(`${seconds.toFixed(0).padStart(6)}  ${relative(root, file)}`);
    console.log(`${tally.passed} passed, ${tally.failed} failed, ${tally.skipped} skipped`);
  });
});
