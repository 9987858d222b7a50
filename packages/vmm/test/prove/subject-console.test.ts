import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SubjectConsole } from '../../src/prove/subject-console.ts';

const after = (...parts: readonly string[]): SubjectConsole => {
  const console = new SubjectConsole();
  for (const part of parts) {
    console.out.write(Buffer.from(part, 'latin1'));
    console.take();
  }
  return console;
};

test('the last line of a guest is plain text, whatever it prints', () => {
  assert.equal(after('first\r\nlast\r\n\r\n').lastLine, 'last');
  assert.equal(after('a\n\u001b[31mred\u001b[0m \u001b[6n\u0007\u009b1mb\u001b]').lastLine, 'red 1mb');
  assert.equal(after('\u001b[2').lastLine, '');
  assert.equal(after('').lastLine, '');
});

test('text is found though it came in parts', () => {
  const console = after('reboot: Pow', 'er down');
  assert.ok(console.has('Power down'));
  assert.ok(!console.has('Power up'));
});
