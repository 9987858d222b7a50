import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { runAtTerminal } from './boot-matrix/at-terminal.ts';
import { missingFor } from './boot-matrix/in-test-host.ts';

/** The guest's shell, busybox ash as root. It asks the terminal for the cursor's place behind it. */
const PROMPT = /\/root # /;

describe('unpin run at a terminal', () => {
  const skip = missingFor('host-6.12', [{ kernel: 'kernel-6.12-cloud', type: 'standard' }]);

  test('gives the guest every key, Ctrl-C too; Ctrl-] ends it; the terminal is then as it was', { skip }, async () => {
    const screen = await runAtTerminal('host-6.12', [
      { until: PROMPT, keys: 'echo alive-$((6*7)); cat\r' },
      { until: /alive-42\r*\n/, keys: 'read back\r' },
      // By its terminal, then by cat: which runs, and is what Ctrl-C interrupts.
      { until: /read back[^]*read back/, keys: '\x03' },
      { until: PROMPT, keys: 'echo interrupted-$?\r' },
      { until: /interrupted-130\r*\n[^]*\/root # /, keys: '\x1d' },
    ]);
    // Once, by the guest's shell: a terminal that is not raw would echo it as well.
    assert.equal(screen.split('echo alive-').length - 1, 1, screen.slice(-3000));
    assert.match(screen.slice(-3000), /interrupted-130/);
    assert.match(screen, /status: 0\r*\n/);
    const [before, after] = ['before', 'after'].map((when) => new RegExp(`${when}: ([0-9a-f:]+)`).exec(screen)?.[1]);
    assert.ok(before !== undefined, screen);
    assert.equal(after, before);
  });
});
