import assert from 'node:assert/strict';
import { createDecipheriv } from 'node:crypto';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { RAW } from '../../src/software/memory/index.ts';
import { fixedKeys, makeHost, PAGE, text } from './helpers/host.ts';

function frameWith(bytes: Uint8Array) {
  const host = makeHost(4);
  for (const asid of [1, 2, 3]) host.keys.activate(asid);
  const address = host.memory.allocate(1, 0);
  host.views.materialise(address, 1);
  host.memory.bytes(address).set(bytes);
  return { host, memory: host.memory, views: host.views, address };
}

describe('a frame in the view of an ASID', () => {
  test('is AES-128-XTS ciphertext in DRAM, with its address as the tweak', () => {
    const { memory, views, address } = frameWith(text('a secret of the guest'));
    const plain = memory.bytes(address).slice();
    views.materialise(address, RAW);
    const tweak = Buffer.alloc(16);
    tweak.writeUInt32LE(address);
    const decipher = createDecipheriv('aes-128-xts', fixedKeys(1), tweak);
    assert.deepEqual(Uint8Array.from(decipher.update(memory.bytes(address))), plain);
    assert.equal(Buffer.from(memory.bytes(address)).includes('secret'), false);
  });

  test('is something else under another ASID', () => {
    const { memory, views, address } = frameWith(text('a secret of the guest'));
    views.materialise(address, 2);
    assert.equal(Buffer.from(memory.bytes(address)).includes('secret'), false);
  });

  test('comes back whole after any walk through views', () => {
    const { memory, views, address } = frameWith(Uint8Array.from({ length: PAGE }, (_, at) => at & 0xff));
    const plain = memory.bytes(address).slice();
    fc.assert(
      fc.property(fc.array(fc.nat(3), { maxLength: 8 }), (walk) => {
        for (const view of walk) views.materialise(address, view);
        views.materialise(address, 1);
        assert.deepEqual(memory.bytes(address).slice(), plain);
      }),
      { numRuns: 30 },
    );
  });

  test('is ciphertext of its place: the same bytes elsewhere decrypt to garbage', () => {
    const { memory, views, address } = frameWith(text('a secret of the guest'));
    views.materialise(address, RAW);
    const other = memory.allocate(1, 1);
    memory.bytes(other).set(memory.bytes(address));
    views.materialise(other, 1);
    assert.equal(Buffer.from(memory.bytes(other)).includes('secret'), false);
    views.materialise(address, 1);
    assert.equal(Buffer.from(memory.bytes(address)).includes('a secret of the guest'), true);
  });
});

test('each of two frames has its own tweak, in whatever order they are encrypted and decrypted', () => {
  const host = makeHost(2);
  host.keys.activate(1);
  const frames = [host.memory.allocate(1, 0), host.memory.allocate(1, 1)];
  const show = (view: number): void => {
    for (const address of frames) host.views.materialise(address, view);
  };
  show(1);
  for (const address of frames) host.memory.bytes(address).set(text('a secret of the guest'));
  for (const view of [RAW, 1, RAW]) show(view);
  const [first, second] = frames.map((address) => host.memory.bytes(address).slice());
  assert.notDeepEqual(first, second);
  show(1);
  for (const address of frames)
    assert.equal(Buffer.from(host.memory.bytes(address)).toString('latin1', 0, 21), 'a secret of the guest');
});

describe('a change of view', () => {
  test('is told once, and not where the view is the same', () => {
    const { memory, views, address } = frameWith(text('x'));
    const told: number[] = [];
    memory.onChange((at) => told.push(at));
    views.materialise(address, 1);
    assert.deepEqual(told, []);
    views.materialise(address, RAW);
    views.materialise(address, RAW);
    assert.deepEqual(told, [address]);
  });

  test('to an ASID without a key is refused and changes nothing', () => {
    const { memory, views, address } = frameWith(text('a secret'));
    assert.throws(() => views.materialise(address, 9), RangeError);
    assert.equal(Buffer.from(memory.bytes(address)).includes('a secret'), true);
  });
});

test('launch encryption makes plain bytes the guest’s, by blocks, and leaves the others alone', () => {
  const host = makeHost(1);
  host.keys.activate(1);
  const address = host.memory.allocate(1, 0);
  const page = host.memory.bytes(address);
  page.set(text('sixteen bytes ok'), 32);
  page.set(text('stays as it is!!'), 48);
  host.views.encryptInPlace(address, 32, 16, 1);
  host.views.materialise(address, 1);
  assert.equal(Buffer.from(page).toString('latin1', 32, 48), 'sixteen bytes ok');
  host.views.materialise(address, RAW);
  assert.equal(Buffer.from(page).toString('latin1', 48, 64), 'stays as it is!!');
  assert.notEqual(Buffer.from(page).toString('latin1', 32, 48), 'sixteen bytes ok');
  host.views.decryptInPlace(address, 32, 16, 1);
  assert.equal(Buffer.from(page).toString('latin1', 32, 48), 'sixteen bytes ok');
  assert.throws(() => host.views.encryptInPlace(address, 8, 16, 1), RangeError);
});

test('an ASID that is retired leaves ciphertext that its next key does not read', () => {
  const { host, memory, views, address } = frameWith(text('a secret of the guest'));
  views.retire(1);
  assert.equal(memory.tags[address / PAGE], RAW);
  host.keys.activate(
    1,
    Uint8Array.from({ length: 32 }, (_, at) => 255 - at),
  );
  views.materialise(address, 1);
  assert.equal(Buffer.from(memory.bytes(address)).includes('secret'), false);
});
