import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import {
  decide,
  type Finding,
  findVmType,
  STATEMENTS,
  type StatementId,
  unknownFinding,
  type Verdict,
  vmType,
  vmTypes,
} from '../src/index.ts';

const yes = (level: 'proven' | 'inferred' = 'proven'): Finding => ({
  answer: 'yes',
  level,
  summary: 'seen',
  evidence: [{ signal: 's', where: 'w', seen: 'x' }],
});
const no: Finding = {
  answer: 'no',
  level: 'proven',
  summary: 'absent',
  evidence: [{ signal: 's', where: 'w', seen: 'y' }],
};

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

/** A kernel such as Linux 5.10: SEV guest, never reports. */
const legacy = verdict({ 'sev-guest': yes(), 'reports-conversions': no, 'reports-correctly': no });
/** A kernel such as Linux 6.12. */
const modern = verdict({ 'sev-guest': yes(), 'reports-conversions': yes(), 'reports-correctly': yes() });

describe('decide', () => {
  test('a legacy image may not have a type that relies on reports, and is told all reasons at once', () => {
    const decision = decide(vmType('sev-upm'), legacy);
    assert.equal(decision.outcome, 'may-not');
    assert.deepEqual(
      decision.reasons.map((r) => [r.need, r.outcome]),
      [
        ['sev-guest', 'met'],
        ['reports-conversions', 'unmet'],
        ['reports-correctly', 'unmet'],
      ],
    );
    assert.ok(decision.reasons.every((r) => r.remedy.length > 0 && r.evidence.length > 0));
    assert.ok(decision.alternatives.includes('sev') && decision.alternatives.includes('sev-deferred'));
    assert.ok(!decision.alternatives.includes('sev-upm'));
  });

  test('a modern image may have both the old way and the new one', () => {
    for (const id of ['standard', 'sev', 'sev-deferred', 'sev-upm'] as const)
      assert.equal(decide(vmType(id), modern).outcome, 'may', id);
  });

  test('a kernel that reports wrong ranges may not have sev-upm', () => {
    const wrong = verdict({ 'sev-guest': yes(), 'reports-conversions': yes(), 'reports-correctly': no });
    assert.equal(decide(vmType('sev-upm'), wrong).outcome, 'may-not');
  });

  test('what is only inferred does not do where the need asks for proof', () => {
    const inferred = verdict({
      'sev-guest': yes('inferred'),
      'reports-conversions': yes('inferred'),
      'reports-correctly': yes(),
    });
    assert.equal(decide(vmType('sev'), inferred).outcome, 'may');
    assert.equal(decide(vmType('sev-upm'), inferred).outcome, 'unknown');
  });

  test('a waiver lets it start and hides nothing', () => {
    const waived = decide(vmType('sev-upm'), legacy, { by: 'ann', reason: 'to see it lie' });
    assert.equal(waived.outcome, 'waived');
    assert.deepEqual(waived.reasons, decide(vmType('sev-upm'), legacy).reasons);
  });

  test('a waiver that is not needed is not used', () => {
    assert.equal(decide(vmType('sev'), legacy, { by: 'ann', reason: 'r' }).outcome, 'may');
  });

  test('for any verdict: may means all met, alternatives agree with decide, knowing more never turns a no into unknown', () => {
    const finding = fc.oneof(
      fc.constant(unknownFinding('')),
      fc.constantFrom(yes(), yes('inferred'), no, { ...no, level: 'inferred' as const }),
    );
    const anyVerdict = fc
      .tuple(...STATEMENTS.map(() => finding))
      .map((f) => verdict(Object.fromEntries(STATEMENTS.map((s, i) => [s.id, f[i] ?? no]))));
    fc.assert(
      fc.property(anyVerdict, fc.constantFrom(...vmTypes()), (v, type) => {
        const decision = decide(type, v);
        assert.equal(
          decision.outcome === 'may',
          decision.reasons.every((r) => r.outcome === 'met'),
        );
        for (const other of vmTypes().filter((t) => t.id !== type.id))
          assert.equal(decision.alternatives.includes(other.id), decide(other, v).outcome === 'may');
      }),
    );
  });
});

describe('the registry', () => {
  test('asks for reports exactly where memory is private, unpinned, and conversions come by hypercall', () => {
    for (const type of vmTypes()) {
      const asks = type.needs.some((n) => n.statement === 'reports-conversions');
      assert.equal(asks, type.conversions === 'hypercall', type.id);
      if (asks)
        assert.ok(
          type.needs.some((n) => n.statement === 'reports-correctly'),
          type.id,
        );
    }
  });

  test('never leaves memory that the host could move under SEV without a reason: pinned, on fault, or guest_memfd', () => {
    for (const type of vmTypes().filter((t) => t.tech !== 'none'))
      assert.ok(type.pinning !== 'none' || type.memoryModel !== 'memslots', type.id);
  });

  test('answers undefined for a name that is no type', () => {
    assert.equal(findVmType('sev-upmm'), undefined);
    assert.equal(findVmType('constructor'), undefined);
  });
});
