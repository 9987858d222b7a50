import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { type KickTarget, openKicker } from '@unpin/kvm';
import { regimeOf, type VmTypeId, vmType } from '@unpin/policy';
import { ByteRing } from '../../src/console/byte-ring.ts';
import { ControlBlock } from '../../src/machine/control-block.ts';
import type { MachineMessage } from '../../src/machine/messages.ts';
import { TraceBuffer } from '../../src/trace/trace-buffer.ts';
import type { SearchInput, SearchResult } from '../helpers/boot-and-search-worker.ts';
import { MIB } from '../helpers/orders.ts';
import { assetPath } from '../probe/assets.ts';

const BANNER = 'Linux version 6.12';
/** A bound on what hangs: a quiet boot takes a few seconds on a core of its own. */
const LIMIT_MS = 400_000;
const kernel = assetPath('kernel-6.12-cloud');
const initrd = assetPath('initrd-shell');
const missing = kernel === undefined || initrd === undefined ? 'needs kernel-6.12-cloud, initrd-shell' : false;

/** Boots to the shell, stops the guest there, and looks for the banner in what the host can read. */
async function searchBooted(type: VmTypeId): Promise<SearchResult & { readonly console: string }> {
  const control = new ControlBlock();
  const consoleOut = ByteRing.create(1 << 18);
  const input: SearchInput = {
    text: BANNER,
    order: {
      contract: 1,
      name: 'banner',
      type,
      regime: regimeOf(vmType(type)),
      execution: 'emulated',
      memoryBytes: 256 * MIB,
      boot: {
        kind: 'linux',
        kernel: { path: kernel ?? '' },
        initrd: { path: initrd ?? '' },
        commandLine: 'quiet',
      },
    },
    control: control.buffer,
    consoleOut: consoleOut.buffer,
    consoleIn: ByteRing.create(1 << 12).buffer,
    trace: TraceBuffer.create().buffer,
  };
  const worker = new Worker(new URL('../helpers/boot-and-search-worker.ts', import.meta.url), { workerData: input });
  const watchdog = setTimeout(() => void worker.terminate(), LIMIT_MS);
  const target = Promise.withResolvers<KickTarget>();
  const result = new Promise<SearchResult>((resolve, reject) => {
    worker.on('message', (message: MachineMessage | SearchResult) => {
      if (message.kind === 'searched') resolve(message);
      if (message.kind === 'kick-target') target.resolve(message.target);
    });
    worker.once('error', reject);
    worker.once('exit', (code) => reject(new Error(`the guest's thread ended with ${code}`)));
  });
  try {
    const console = await consoleUntil(consoleOut, '/root # ', result);
    control.requestStop('stopped');
    (await openKicker(await target.promise)).kick();
    return { ...(await result), console };
  } finally {
    clearTimeout(watchdog);
    await worker.terminate();
  }
}

/** What a guest prints until `marker`, or until it has ended. */
async function consoleUntil(ring: ByteRing, marker: string, ended: Promise<unknown>): Promise<string> {
  const over = ended.then(
    () => true,
    () => true,
  );
  for (let heard = ''; ; heard += Buffer.from(ring.read()).toString('latin1')) {
    if (heard.includes(marker)) return heard;
    if (await Promise.race([over, ring.readable(100)])) return heard;
  }
}

/** What the host may move of each type's guest: a page that is pinned, or in a guest_memfd, never. */
const MOVABLE = { standard: 'all', sev: 'nothing', 'sev-upm': 'what is shared' } as const;

describe('a Debian guest that boots while the host moves its pages', { skip: missing }, () => {
  for (const type of ['standard', 'sev', 'sev-upm'] as const)
    test(`as ${type}: ${MOVABLE[type]} is moved, and the banner is in what the host can read only where nothing is encrypted`, async () => {
      const { hits, pages, moves, console, ending } = await searchBooted(type);
      assert.ok(console.includes('/root # '), `the guest came to grief:\n${console.slice(-1500)}`);
      assert.equal(ending.reason, 'requested');
      switch (type) {
        case 'standard':
          assert.ok(hits.length >= 2, 'in the kernel’s image and in its log');
          assert.ok(pages > 4096, `${pages} pages with anything in them`);
          assert.ok(moves.moved > 1000 && moves.pinned === 0, JSON.stringify(moves));
          return;
        case 'sev':
          assert.deepEqual(hits, []);
          assert.ok(pages > 4096, `${pages} pages with anything in them`);
          assert.ok(moves.pinned > 1000 && moves.moved === 0, JSON.stringify(moves));
          return;
        case 'sev-upm':
          assert.deepEqual(hits, []);
          assert.ok(pages >= 1, 'nothing was shared');
          assert.ok(moves.guest_memfd > 1000 && moves.pinned === 0, JSON.stringify(moves));
      }
    });
});
