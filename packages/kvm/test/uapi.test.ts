import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { askCompiler, goldenPath } from './uapi-check/compile.ts';
import { describe as describeGroup, GROUPS } from './uapi-check/groups.ts';

const noCompiler = missingCompiler();

describe('the user API as a table', () => {
  for (const group of GROUPS) {
    test(`${group.name}: every size, offset and value is the golden one`, () => {
      const golden: unknown = JSON.parse(readFileSync(goldenPath(group), 'utf8'));
      assert.deepEqual(describeGroup(group), golden);
    });

    test(`${group.name}: the golden file is what the C compiler says`, { skip: noCompiler }, () => {
      const golden: unknown = JSON.parse(readFileSync(goldenPath(group), 'utf8'));
      assert.deepEqual(askCompiler(group), golden);
    });
  }
});

/** Why the compiler can't be asked, or false. */
function missingCompiler(): string | false {
  try {
    execFileSync('gcc', ['--version'], { stdio: 'ignore', timeout: 10_000 });
  } catch {
    return 'gcc is not installed';
  }
  return existsSync('/usr/include/linux/kvm.h') ? false : 'the kernel headers (linux-libc-dev) are not installed';
}
