import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assert as holds, nat, property, tuple } from 'fast-check';
import { compareKernelVersions, parseKernelVersion, spanHolds } from '../conformance/kernel-version.ts';
import * as numbers from '../conformance/numbers.ts';
import { rules } from '../conformance/rules/index.ts';
import * as uapi from '../src/uapi/constants.ts';

const version = tuple(nat(99), nat(99), nat(999));

test('a kernel release is read whatever a distribution appends', () => {
  assert.deepEqual(parseKernelVersion('6.12.117+deb12-amd64'), [6, 12, 117]);
  assert.deepEqual(parseKernelVersion('7.3-rc1'), [7, 3, 0]);
  assert.throws(() => parseKernelVersion('unknown'), /not a kernel release/);
});

test('versions compare by their numbers, not as text', () => {
  holds(
    property(version, version, (a, b) => {
      assert.deepEqual(parseKernelVersion(`${a.join('.')}-x`), a);
      const order = Math.sign(compareKernelVersions(a, b));
      assert.equal(order, Math.sign(a[0] * 1e6 + a[1] * 1e3 + a[2] - (b[0] * 1e6 + b[1] * 1e3 + b[2])));
      // A span starts with its first kernel and ends before its last.
      assert.equal(spanHolds({ since: b.join('.') }, a), order >= 0);
      assert.equal(spanHolds({ until: b.join('.') }, a), order < 0);
    }),
  );
});

test('there are at least 100 rules, each with a stable id, a sentence, a source and a span that can hold', () => {
  assert.ok(rules.length >= 100, `${rules.length} rules`);
  for (const { id, says, source, since = '0.0', until = '999.0' } of rules) {
    assert.match(id, /^[a-z0-9-]+\/[a-z0-9-]+$/);
    assert.match(says, /^\p{Lu}.*\.$/u, id);
    assert.ok(source.length > 10, id);
    assert.ok(compareKernelVersions(parseKernelVersion(since), parseKernelVersion(until)) < 0, id);
  }
  assert.equal(new Set(rules.map(({ id }) => id)).size, rules.length, 'ids are unique');
});

test('variants of a rule cover every kernel, each once', () => {
  for (const { id, variants = [] } of rules)
    for (const [index, { since, until }] of variants.entries()) {
      assert.equal(since, variants[index - 1]?.until, `${id}: starts where the one before ends`);
      assert.equal(until === undefined, index === variants.length - 1, `${id}: the last one is open`);
    }
});

test('the suite and the backend wrote down the same numbers', () => {
  const pairs: [string, number, number | undefined][] = [];
  const compare = (prefix: string, ours: Record<string, number>, theirs: Record<string, number>): void => {
    for (const [name, value] of Object.entries(ours)) pairs.push([prefix + name, value, theirs[prefix + name]]);
  };
  compare('KVM_CAP_', numbers.CAP, uapi.CAPS);
  compare('KVM_MEM_', numbers.MEM, uapi.MEMORY_FLAGS);
  compare('GUEST_MEMFD_FLAG_', numbers.GMEM, uapi.MEMORY_FLAGS);
  compare('KVM_MSR_EXIT_REASON_', numbers.MSR_EXIT, uapi.DEVICE_FLAGS);
  compare('KVM_MSR_FILTER_', numbers.MSR_FILTER, uapi.DEVICE_FLAGS);
  compare('KVM_IOEVENTFD_FLAG_', numbers.IOEVENTFD, uapi.DEVICE_FLAGS);
  compare('KVM_IRQFD_FLAG_', numbers.IRQFD, uapi.DEVICE_FLAGS);
  compare('KVM_MP_STATE_', numbers.MP_STATE, uapi.DEVICE_FLAGS);
  const shared = pairs.filter(([, , theirs]) => theirs !== undefined);
  assert.ok(shared.length > 40, `${shared.length} numbers in both tables`);
  for (const [name, ours, theirs] of shared) assert.equal(ours, theirs, name);
});
