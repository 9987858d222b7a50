import assert from 'node:assert/strict';
import type { CaseResult } from './driver.ts';

/** What every guest shows, whatever its type. */
export function bootedAndSpoke(result: CaseResult | undefined): asserts result is CaseResult & { report: object } {
  assert.ok(result !== undefined, 'the test host ended before this guest');
  const tail = result.console.slice(-1500);
  assert.ok(result.report !== undefined, `${result.stdout ?? ''}\n${tail}`);
  assert.match(result.console, /Linux version /);
  assert.ok(result.answered, `the shell did not answer:\n${tail}`);
  assert.equal(result.report?.ending?.reason, 'power-off', tail);
  assert.equal(result.exitCode, 0);
}
