import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import {
  decide,
  type Finding,
  isAtLeast,
  LEVELS,
  type Level,
  type Observation,
  observed,
  STATEMENTS,
  type StatementId,
  unknownFinding,
  type Verdict,
  vmType,
} from '../src/index.ts';

const finding = (answer: Finding['answer'], level: Level): Finding => ({
  answer,
  level,
  summary: 'read from the file',
  evidence: [{ signal: 'code', where: 'vmlinuz', seen: 'x' }],
});
const run = (answer: 'yes' | 'no', statement: StatementId = 'reports-correctly'): Observation => ({
  statement,
  answer,
  summary: 'seen in a run',
  evidence: { signal: 'run-in-lockstep', where: 'the software KVM', seen: '1,000 instructions' },
});

function verdict(statements: Partial<Record<StatementId, Finding>>): Verdict {
  const all = Object.fromEntries(STATEMENTS.map((s) => [s.id, statements[s.id] ?? unknownFinding('not looked at')]));
  return {
    bootSet: { digest: 'd', kernel: { name: 'vmlinuz', sha256: 'k', bytes: 1 } },
    inspector: '1',
    kernel: { container: 'bzImage', payload: 'xz' },
    statements: all as Record<StatementId, Finding>,
    obstacles: [],
  };
}

const after = (before: Finding, answer: 'yes' | 'no'): Finding =>
  observed(verdict({ 'reports-correctly': before }), [run(answer)]).statements['reports-correctly'];

describe('a run that was observed', () => {
  test('answers what was unknown, and what was inferred, at its own level', () => {
    for (const before of [unknownFinding('nothing'), finding('yes', 'inferred')]) {
      const { answer, level, summary } = after(before, 'yes');
      assert.deepEqual([answer, level, summary], ['yes', 'observed', 'seen in a run']);
    }
  });

  test('adds its evidence to a proof and leaves the proof', () => {
    const { level, summary, evidence } = after(finding('yes', 'proven'), 'yes');
    assert.deepEqual([level, summary], ['proven', 'read from the file']);
    assert.deepEqual(
      evidence.map(({ signal }) => signal),
      ['code', 'run-in-lockstep'],
    );
  });

  test('that went wrong outweighs a proof that it goes well', () => {
    const { answer, level } = after(finding('yes', 'proven'), 'no');
    assert.deepEqual([answer, level], ['no', 'observed']);
  });

  test('that went well is no argument against a known lack', () => {
    for (const level of ['proven', 'inferred'] as const) {
      const found = after(finding('no', level), 'yes');
      assert.deepEqual([found.answer, found.level], ['no', level]);
    }
  });

  test('does for a need that an inference does for, and not for one that asks for a proof', () => {
    const image = verdict({
      'sev-guest': finding('yes', 'observed'),
      'reports-conversions': finding('yes', 'observed'),
      'reports-correctly': finding('yes', 'observed'),
    });
    assert.equal(decide(vmType('sev'), image).outcome, 'may');
    const upm = decide(vmType('sev-upm'), image);
    assert.equal(upm.outcome, 'unknown');
    assert.deepEqual(
      upm.reasons.map(({ need, outcome }) => [need, outcome]),
      [
        ['sev-guest', 'met'],
        ['reports-conversions', 'unproven'],
        ['reports-correctly', 'unproven'],
      ],
    );
  });

  test('that went wrong refuses the types that need it, whatever else is known', () => {
    const before = verdict({
      'sev-guest': finding('yes', 'proven'),
      'reports-conversions': finding('yes', 'proven'),
      'reports-correctly': finding('yes', 'proven'),
    });
    assert.equal(decide(vmType('sev-upm'), before).outcome, 'may');
    assert.equal(decide(vmType('sev-upm'), observed(before, [run('no')])).outcome, 'may-not');
  });

  test('never makes an answer less sure, and never loses evidence', () => {
    const answers = fc.constantFrom<Finding['answer']>('yes', 'no', 'unknown');
    fc.assert(
      fc.property(
        answers,
        fc.constantFrom(...LEVELS),
        fc.array(fc.constantFrom<'yes' | 'no'>('yes', 'no'), { maxLength: 4 }),
        (answer, level, runs) => {
          const before = answer === 'unknown' ? unknownFinding('nothing') : finding(answer, level);
          const found = observed(
            verdict({ 'reports-correctly': before }),
            runs.map((each) => run(each)),
          ).statements['reports-correctly'];
          assert.equal(found.evidence.length, before.evidence.length + runs.length);
          if (found.answer === before.answer) assert.ok(isAtLeast(found.level, before.level));
          if (before.answer === 'no' || runs.includes('no')) assert.equal(found.answer, 'no');
        },
      ),
    );
  });
});
