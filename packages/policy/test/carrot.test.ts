import assert from 'node:assert/strict';
import { test } from 'node:test';
import { carrotsFor, type VmTypeId, vmType, vmTypes } from '@unpin/policy';

const ALL = vmTypes().map(({ id }) => id);

function carrots(from: VmTypeId): readonly string[] {
  return carrotsFor(vmType(from), ALL).map(({ type }) => type);
}

test('what is on offer keeps as much from the host, and gives something', () => {
  assert.deepEqual(carrots('sev'), ['sev-snp', 'sev-es', 'sev-es-upm', 'sev-deferred', 'sev-upm']);
  assert.deepEqual(carrots('sev-es'), ['sev-snp', 'sev-es-upm']);
  assert.deepEqual(carrots('sev-upm'), ['sev-snp', 'sev-es', 'sev-es-upm']);
  assert.deepEqual(carrots('sev-snp'), []);
});

test('an ordinary VM is offered nothing: it did not ask to be kept from the host', () => {
  for (const { id } of vmTypes().filter(({ tech }) => tech === 'none')) assert.deepEqual(carrots(id), []);
});
