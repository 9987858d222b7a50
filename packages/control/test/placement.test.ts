import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { vmType } from '@unpin/policy';
import * as fc from 'fast-check';
import type { HostSnapshot } from '../src/placement/host-snapshot.ts';
import { type PlacementRequest, place } from '../src/placement/place.ts';
import { capabilities, GIB, way } from './support/hosts.ts';

const host = (name: string, change: Partial<HostSnapshot> = {}): HostSnapshot => ({
  name,
  epoch: 1,
  up: true,
  capabilities: capabilities(),
  availableBytes: 8 * GIB,
  pinnedBytes: 0,
  ...change,
});

const request = (change: Partial<PlacementRequest> = {}): PlacementRequest => ({
  types: [vmType('sev-upm')],
  memoryBytes: GIB,
  pinnedBytes: 0,
  allow: ['hardware', 'shaped'],
  linux: true,
  filesOn: undefined,
  ...change,
});

function why(placement: ReturnType<typeof place>): string {
  assert.equal(placement.kind, 'nowhere');
  return placement.kind === 'nowhere' ? placement.obstacles.map(({ found }) => found).join('; ') : '';
}

describe('placement', () => {
  test('puts a VM on the host with the most available memory', () => {
    const placement = place(request(), [host('small', { availableBytes: GIB }), host('large')]);
    assert.equal(placement.kind === 'placed' && placement.host, 'large');
  });

  test('prefers hardware to shape, whatever the memory', () => {
    const genuine = capabilities(({ type }) =>
      type === 'sev-upm' ? { ways: [way('hardware', { confidential: true })] } : {},
    );
    const hosts = [host('shaped'), host('genuine', { capabilities: genuine, availableBytes: GIB })];
    const placement = place(request(), hosts);
    assert.deepEqual(placement, {
      kind: 'placed',
      host: 'genuine',
      epoch: 1,
      execution: 'hardware',
      confidential: true,
    });
  });

  test('names each host that was passed over, with what was found and what was needed', () => {
    const weak = capabilities(({ type }) =>
      type === 'sev-upm' ? { ways: [way('shaped', { bootsLinux: false })] } : {},
    );
    const hosts = [
      host('lost', { up: false }),
      host('weak', { capabilities: weak }),
      host('elsewhere-only', { capabilities: capabilities(() => ({ ways: [], obstacles: ['no KVM'] })) }),
    ];
    const placement = place(request(), hosts);
    assert.deepEqual(
      placement.kind === 'nowhere' && placement.obstacles.map((o) => o.host),
      hosts.map((h) => h.name),
    );
    assert.match(why(placement), /no sign of life; its KVM runs only small guests such as the probe; no KVM/);
  });

  test('a KVM that runs small guests only still runs the probe', () => {
    const weak = capabilities(() => ({ ways: [way('shaped', { bootsLinux: false })] }));
    assert.equal(place(request({ linux: false }), [host('weak', { capabilities: weak })]).kind, 'placed');
  });

  test('shape is used only where it was allowed', () => {
    assert.match(
      why(place(request({ allow: ['hardware'] }), [host('a')])),
      /runs shaped there, which is not confidential/,
    );
  });

  test('a KVM that cannot boot Linux leaves it to the software KVM, where that was allowed', () => {
    const both = capabilities(() => ({ ways: [way('shaped', { bootsLinux: false }), way('emulated')] }));
    const hosts = [host('a', { capabilities: both })];
    const allowed = place(request({ allow: ['hardware', 'shaped', 'emulated'] }), hosts);
    assert.equal(allowed.kind === 'placed' && allowed.execution, 'emulated');
    assert.match(why(place(request(), hosts)), /runs emulated there, which is not confidential/);
    const probe = place(request({ linux: false }), hosts);
    assert.equal(probe.kind === 'placed' && probe.execution, 'shaped');
  });

  test('an image whose files are on one host runs on that one', () => {
    const placement = place(request({ filesOn: 'b' }), [host('a', { availableBytes: 9 * GIB }), host('b')]);
    assert.equal(placement.kind === 'placed' && placement.host, 'b');
  });

  test('a VM on probation needs a host that offers the fallback too', () => {
    const without = capabilities(({ type }) => (type === 'sev' ? { ways: [], obstacles: ['may not pin'] } : {}));
    const types = [vmType('sev-upm'), vmType('sev')];
    assert.match(why(place(request({ types }), [host('a', { capabilities: without })])), /may not pin/);
  });

  test('on-demand memory may exceed what is available but not what is there', () => {
    assert.equal(place(request({ memoryBytes: 12 * GIB }), [host('a')]).kind, 'placed');
    assert.match(why(place(request({ memoryBytes: 17 * GIB }), [host('a')])), /16384 MiB of memory in all/);
  });

  test('pinned memory is never promised twice', () => {
    const size = fc.integer({ min: 0, max: 20 }).map((gib) => gib * GIB);
    fc.assert(
      fc.property(size, size, size, (pinnedBytes, availableBytes, memoryBytes) => {
        const placement = place(request({ types: [vmType('sev')], memoryBytes, pinnedBytes: memoryBytes }), [
          host('a', { pinnedBytes, availableBytes }),
        ]);
        if (placement.kind === 'placed' && memoryBytes > 0)
          assert.ok(pinnedBytes + memoryBytes <= 16 * GIB && memoryBytes <= availableBytes);
      }),
    );
  });
});
