/**
 * npm run bench: every packages/<room>/bench/*.bench.ts, one after another, each figure beside its peer in the same
 * run. Arguments: parts of file names; --json for machines. Timing lives here and never in tests.
 */
import { globSync } from 'node:fs';
import { join } from 'node:path';

/** One line of a benchmark. `ratio` is ours / peer; a goal is a bound on what stands in `bounds`. */
export interface BenchResult {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  readonly peer?: number;
  readonly ratio?: number;
  readonly goal?: string;
  /** Whether the goal was met in this run; absent where there is none. */
  readonly met?: boolean;
  /** What the reader must know: what machine, what was left out. */
  readonly note?: string;
}

export interface Bench {
  readonly title: string;
  /** A reason why it can't run here, or undefined. */
  unavailable?(): string | undefined | Promise<string | undefined>;
  run(progress: (text: string) => void): Promise<readonly BenchResult[]>;
}

if (import.meta.main) await main();

async function main(): Promise<void> {
  const json = process.argv.includes('--json');
  const wanted = process.argv.slice(2).filter((arg) => !arg.startsWith('-'));
  const root = join(import.meta.dirname, '..');
  const files = globSync('packages/*/bench/*.bench.ts', { cwd: root })
    .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
    .sort();
  const all: { title: string; skipped?: string; results: readonly BenchResult[] }[] = [];
  for (const file of files) {
    const { bench } = (await import(join(root, file))) as { bench: Bench };
    const skipped = await bench.unavailable?.();
    if (!json) console.log(`\n${bench.title}${skipped === undefined ? '' : `: skipped: ${skipped}`}`);
    if (skipped !== undefined) {
      all.push({ title: bench.title, skipped, results: [] });
      continue;
    }
    const results = await bench.run((text) => process.stderr.write(`  … ${text}\n`));
    all.push({ title: bench.title, results });
    if (!json) for (const result of results) console.log(line(result));
  }
  if (json) console.log(JSON.stringify(all, null, 2));
}

function number(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function line(r: BenchResult): string {
  const parts = [`  ${r.name.padEnd(56)} ${number(r.ours)} ${r.unit}`];
  if (r.peer !== undefined) parts.push(`peer ${number(r.peer)}`);
  if (r.ratio !== undefined) parts.push(`ratio ${r.ratio.toFixed(2)}`);
  if (r.goal !== undefined) parts.push(`goal ${r.goal}${r.met === undefined ? '' : r.met ? ' met' : ' NOT MET'}`);
  if (r.note !== undefined) parts.push(`(${r.note})`);
  return parts.join('  ');
}
