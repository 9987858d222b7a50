import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Finding, STATEMENTS } from '@unpin/policy';
import { worstOf } from '../src/inspect/worst.ts';
import type { Statements } from '../src/verdict/judge-kernel.ts';

function start(
  title: string,
  answer: Finding['answer'],
  level: Finding['level'],
): { title: string; statements: Statements } {
  const finding: Finding = {
    answer,
    level,
    summary: `${title} says ${answer}`,
    evidence: [{ signal: 'sign', where: 'vmlinux', seen: title }],
  };
  return { title, statements: Object.fromEntries(STATEMENTS.map(({ id }) => [id, finding])) as unknown as Statements };
}

describe('several starts that may all be the one', () => {
  test('are as good as the worst of them, which the evidence names', () => {
    const { 'sev-guest': finding } = worstOf([
      start('new', 'yes', 'proven'),
      start('old', 'no', 'proven'),
      start('broken', 'unknown', 'unknown'),
    ]);
    assert.equal(finding.answer, 'no');
    assert.equal(finding.level, 'proven');
    assert.match(finding.summary, /old says no \(old\)/);
    assert.deepEqual(
      finding.evidence.map(({ where }) => where),
      ['old: vmlinux'],
    );
  });

  test('are unknown where one is, and the others are not worse', () => {
    const { 'snp-guest': finding } = worstOf([start('a', 'yes', 'proven'), start('b', 'unknown', 'unknown')]);
    assert.deepEqual([finding.answer, finding.level], ['unknown', 'unknown']);
  });

  test('are as sure as the least sure of those that decide', () => {
    const { 'snp-guest': yes } = worstOf([start('a', 'yes', 'proven'), start('b', 'yes', 'inferred')]);
    assert.deepEqual([yes.answer, yes.level], ['yes', 'inferred']);
    const { 'snp-guest': no } = worstOf([start('a', 'no', 'proven'), start('b', 'yes', 'inferred')]);
    assert.deepEqual([no.answer, no.level], ['no', 'proven']);
  });

  test('a single one is itself', () => {
    const only = start('a', 'yes', 'proven');
    assert.equal(worstOf([only]), only.statements);
  });
});
