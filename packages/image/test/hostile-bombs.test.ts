/** Images that ask for more than there is are answered all the same: within the limits, or with the limit that they met. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DEFAULT_LIMITS, type ImageAnswer, inspectMany } from '../src/confined/index.ts';
import { BOMBS } from './hostile/bombs.ts';
import { needsDiskTools } from './tools.ts';

const WORKERS = 2;

describe('an image that asks for too much', needsDiskTools(), () => {
  let folder: string;
  let answers: readonly ImageAnswer[];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'unpin-bombs-'));
    const requests = BOMBS.map(({ id, make }) => {
      const own = join(folder, id);
      mkdirSync(own);
      return { image: make(own) };
    });
    answers = await inspectMany(requests, { workers: WORKERS });
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const [index, { id, says }] of BOMBS.entries())
    test(id, (context) => {
      const answer = answers[index];
      assert.ok(answer);
      const { inspection, error } = answer;
      if (error !== undefined) {
        context.diagnostic(error.message);
        assert.equal(error.code, 'IMAGE_OVER_LIMITS', error.message);
        assert.match(error.message, says === 'whole' ? /^$/ : says);
        return;
      }
      const { problem, verdict, figures } = inspection;
      const said = [problem?.message ?? '', ...verdict.obstacles].filter((line) => line !== '').join('; ');
      context.diagnostic(`${Math.round(figures.milliseconds)} ms: ${said}`);
      assert.ok(figures.peakBytes <= DEFAULT_LIMITS.memoryBytes, `${figures.peakBytes} bytes`);
      if (says === 'whole') assert.equal(said, '');
      else assert.match(said, says);
    });
});
