import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { moduleName } from '../src/host/modinfo.ts';
import { ModuleOrderError, moduleOrder } from '../src/host/module-order.ts';

const none = (): boolean => false;

describe('the order of modules', () => {
  test('puts each after all that it depends on', () => {
    const depends: Record<string, string[]> = {
      '9p': ['9pnet', 'netfs'],
      '9pnet': [],
      netfs: ['fscache'],
      kvm_amd: ['kvm', 'ccp'],
      kvm: ['irqbypass'],
      irqbypass: [],
      ccp: [],
    };
    assert.deepEqual(
      moduleOrder(
        ['9p', 'kvm_amd', 'kvm'],
        (name) => depends[name],
        (name) => name === 'fscache',
      ),
      ['9pnet', 'netfs', '9p', 'irqbypass', 'kvm', 'ccp', 'kvm_amd'],
    );
  });

  test('holds for any graph without cycles', () => {
    // Module i may depend on lower numbers only.
    const graph = fc.array(fc.array(fc.nat(30), { maxLength: 4 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(graph, fc.array(fc.nat(29)), (raw, picks) => {
        const depends = new Map(
          raw.map((list, i) => [`m${i}`, list.filter((each) => each < i).map((each) => `m${each}`)]),
        );
        const wanted = picks.map((pick) => `m${pick % raw.length}`);
        const order = moduleOrder(wanted, (name) => depends.get(name), none);
        assert.equal(new Set(order).size, order.length);
        for (const name of wanted) assert.ok(order.includes(name));
        for (const [at, name] of order.entries())
          for (const need of depends.get(name) ?? []) assert.ok(order.indexOf(need) >= 0 && order.indexOf(need) < at);
      }),
    );
  });

  test('names the way to a module that is missing', () => {
    assert.throws(
      () => moduleOrder(['a'], (name) => (name === 'a' ? ['b'] : undefined), none),
      new ModuleOrderError('no such module: a → b'),
    );
  });

  test('names a circle instead of following it', () => {
    assert.throws(
      () => moduleOrder(['a'], (name) => [name === 'a' ? 'b' : 'a'], none),
      /depend on each other: a → b → a/,
    );
  });
});

test('a module is named as in /sys/module, whatever its file is called', () => {
  assert.equal(moduleName('kernel/arch/x86/kvm/kvm-amd.ko.xz'), 'kvm_amd');
  assert.equal(moduleName('9pnet_virtio.ko'), '9pnet_virtio');
  assert.equal(moduleName('kernel/fs/overlayfs/overlay.ko.zst'), 'overlay');
});
