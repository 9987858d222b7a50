import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { UnpinError } from '@unpin/contract/errors';
import { assetPath, type FetchProgress, fetchAssets } from '../src/index.ts';

const apt = spawnSync('apt-get', ['--version']).status === 0;
const skip = !apt && 'this machine has no apt';

describe("fetching from Debian's packages", { skip, timeout: 600_000, concurrency: 1 }, () => {
  let cache: string;
  beforeEach(() => {
    cache = mkdtempSync(join(tmpdir(), 'unpin-fetch-'));
  });
  afterEach(() => rmSync(cache, { recursive: true }));

  /** Fetches, and tells which stages each asset went through. */
  const fetched = async (update = false): Promise<string[]> => {
    const stages: string[] = [];
    const onProgress = (progress: FetchProgress): void => {
      if ('asset' in progress) stages.push(`${progress.asset} ${progress.stage}`);
    };
    await fetchAssets(['initrd-shell'], { cache, onProgress, update });
    return stages;
  };

  test('brings an asset and what it is built of, once, repairs what is damaged, and leaves no downloads', async (t) => {
    const first = await unlessOffline(fetched);
    if (first === undefined) return t.skip('no mirror of Debian answers');
    assert.deepEqual(first, [
      'busybox-static downloading',
      'busybox-static unpacking',
      'busybox-static done',
      'initrd-shell done',
    ]);
    const { stdout } = spawnSync(assetPath('busybox-static', cache), ['echo', 'runs'], { encoding: 'utf8' });
    assert.equal(stdout, 'runs\n');
    assert.deepEqual(readdirSync(join(cache, 'downloads')), []);
    assert.deepEqual(await fetched(), ['busybox-static present', 'initrd-shell present']);

    writeFileSync(assetPath('initrd-shell', cache), 'cut short');
    assert.deepEqual(await fetched(), ['busybox-static present', 'busybox-static present', 'initrd-shell done']);
    assert.deepEqual(await fetched(true), ['busybox-static present', 'initrd-shell done']);
  });

  test('by two at once does the work once', async (t) => {
    const both = await unlessOffline(() => Promise.all([fetched(), fetched()]));
    if (both === undefined) return t.skip('no mirror of Debian answers');
    assert.equal(both.flat().filter((stage) => stage === 'busybox-static downloading').length, 1);
    assert.ok(existsSync(assetPath('initrd-shell', cache)));
  });
});

/** Undefined where no mirror could be reached at all; any other trouble is thrown. */
async function unlessOffline<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    const found = error instanceof UnpinError && error.code === 'ASSET_UNAVAILABLE' ? (error.parts.found ?? '') : '';
    if (/Could not resolve|Temporary failure resolving|Could not connect|Unable to connect/.test(found))
      return undefined;
    throw error;
  }
}
