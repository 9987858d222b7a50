import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import * as fc from 'fast-check';
import {
  type AssetRecord,
  parseManifest,
  presentAsset,
  readManifest,
  withAsset,
  writeManifest,
} from '../src/cache/manifest.ts';
import { assetPath, requireAssets } from '../src/debian/fetch.ts';

const NASM: AssetRecord = {
  id: 'nasm',
  version: '2.16.01-1',
  directory: 'assets/nasm/2.16.01-1',
  file: 'usr/bin/nasm',
  size: 4,
  packages: [{ name: 'nasm', version: '2.16.01-1', sha256: '00' }],
  fetched: '2026-01-01T00:00:00.000Z',
};

describe('the manifest of a cache', () => {
  let cache: string;
  beforeEach(() => {
    cache = mkdtempSync(join(tmpdir(), 'unpin-manifest-'));
  });
  afterEach(() => rmSync(cache, { recursive: true }));

  test('is empty before anything is fetched', () => {
    assert.deepEqual(readManifest(cache).assets, {});
  });

  test('keeps what was recorded, beside what was there', () => {
    const other = { ...NASM, id: 'qemu' };
    writeManifest(cache, withAsset(readManifest(cache), NASM));
    writeManifest(cache, withAsset(readManifest(cache), other));
    assert.deepEqual(readManifest(cache).assets, { nasm: NASM, qemu: other });
  });

  test('does not believe a record whose file is missing or of another size', () => {
    writeManifest(cache, withAsset(readManifest(cache), NASM));
    assert.equal(presentAsset(cache, 'nasm'), undefined);
    mkdirSync(join(cache, NASM.directory, 'usr/bin'), { recursive: true });
    writeFileSync(join(cache, NASM.directory, NASM.file), '123');
    assert.equal(presentAsset(cache, 'nasm'), undefined);
    writeFileSync(join(cache, NASM.directory, NASM.file), '1234');
    assert.deepEqual(presentAsset(cache, 'nasm'), NASM);
    assert.equal(assetPath('nasm', cache), join(cache, NASM.directory, NASM.file));
  });

  test('that is damaged counts as empty: all can be fetched again', () => {
    writeFileSync(join(cache, 'manifest.json'), '{"format": 1, "assets": {');
    assert.deepEqual(readManifest(cache).assets, {});
  });

  test('is read from any JSON without a throw, and only whole records are kept', () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => void parseManifest(value)));
    const assets = { nasm: NASM, qemu: { ...NASM, id: 'nasm' }, broken: { id: 'broken' } };
    assert.deepEqual(parseManifest({ format: 1, assets }).assets, { nasm: NASM });
    assert.deepEqual(parseManifest({ format: 2, assets }).assets, {});
  });

  test('names all that is missing at once, and the command that fetches it', () => {
    assert.throws(
      () => requireAssets(['host-6.12', 'qemu'], cache),
      (error: { code?: string; parts?: { next?: string } }) =>
        error.code === 'TEST_HOST_MISSING' && error.parts?.next === 'unpin test-host fetch host-6.12 qemu',
    );
  });
});
