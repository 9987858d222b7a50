/** Every image of the set is inspected as a person would have it inspected, and must be found to be what it is. */
import assert from 'node:assert/strict';
import { dirname, join } from 'node:path';
import { before, describe, test } from 'node:test';
import type { ImageInspectionMessage } from '@unpin/contract';
import { type ImageAnswer, type ImageRequest, inspectMany } from '../../src/confined/index.ts';
import { inspectKernel } from '../../src/index.ts';
import { needsDiskTools } from '../tools.ts';
import { imageOf } from './build.ts';
import { KERNELS, type KernelId, kernel, missingKernels } from './kernels.ts';
import type { Row } from './row.ts';
import { ROWS, recipeOf } from './table.ts';

const WORKERS = 2;

const missing = missingKernels(Object.keys(KERNELS) as KernelId[]);
const { skip: withoutTools } = needsDiskTools();
const skip = withoutTools || (missing.length > 0 && `not fetched: ${missing.join(', ')}: unpin test-host fetch`);

describe('an image of the set', { skip }, () => {
  let answers: readonly ImageAnswer[];

  before(async () => {
    const requests = ROWS.map((row): ImageRequest => {
      const image = imageOf(recipeOf(row));
      // Nobody but the person who inspects says what may stand behind an image.
      const backing = row.format === 'qcow2-backing' ? ['middle.qcow2', 'base.raw'] : [];
      return { image, backing: backing.map((name) => join(dirname(image), name)) };
    });
    answers = await inspectMany(requests, { workers: WORKERS });
  });

  for (const [index, row] of ROWS.entries())
    test(`${row.id}: ${row.like}`, () => {
      const answer = answers[index];
      assert.ok(answer?.inspection, answer?.error?.message ?? 'no answer');
      meets(answer.inspection, row);
    });
});

function meets(inspection: ImageInspectionMessage, { expect, kernels }: Row): void {
  const { verdict, entries, problem } = inspection;
  const stood = [...verdict.obstacles, problem?.message ?? ''].join('\n');
  if (expect.obstacle === undefined) assert.equal(stood, '');
  else assert.match(stood, expect.obstacle);
  assert.equal(verdict.statements['reports-conversions'].answer, expect.reports);
  const counting = entries.filter(({ counts }) => counts);
  if (expect.boots === 'nothing') {
    for (const { answer } of Object.values(verdict.statements)) assert.equal(answer, 'unknown');
    return;
  }
  if (expect.boots === 'all') {
    for (const id of kernels)
      assert.ok(
        counting.some((entry) => entry.kernel.includes(kernel(id).release)),
        id,
      );
    return;
  }
  const [boots, ...others] = counting;
  assert.ok(boots);
  assert.deepEqual(others, []);
  const { release } = kernel(expect.boots);
  assert.ok(boots.kernel.includes(release) || expect.loader === 'uki', boots.kernel);
  assert.equal(boots.loader, expect.loader);
  if (expect.commandLine !== undefined) assert.match(boots.commandLine ?? '', expect.commandLine);
  // Nothing on the way to the kernel changes what is said of it.
  assert.deepEqual(answersOf(verdict.statements), directAnswers(expect.boots, verdict.bootSet.commandLine));
}

const known = new Map<string, Record<string, string>>();

/** What the kernel's file gets by itself. Of the words in the set's command lines, one changes a verdict. */
function directAnswers(id: KernelId, line = ''): Record<string, string> {
  const commandLine = line.split(/\s+/).includes('nopv') ? 'nopv' : '';
  const key = `${id} ${commandLine}`;
  const answers = known.get(key) ?? answersOf(inspectKernel(kernel(id).bytes, id, { commandLine }).verdict.statements);
  known.set(key, answers);
  return answers;
}

function answersOf(
  statements: Readonly<Record<string, { readonly answer: string; readonly level: string }>>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(statements).map(([id, { answer, level }]) => [id, `${answer} ${level}`]));
}
