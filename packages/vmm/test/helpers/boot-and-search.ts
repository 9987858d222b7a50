import { Worker } from 'node:worker_threads';
import { type KickTarget, openKicker } from '@unpin/kvm';
import type { SoftwareKvmOptions } from '@unpin/kvm/software';
import { regimeOf, type VmTypeId, vmType } from '@unpin/policy';
import { ByteRing } from '../../src/console/byte-ring.ts';
import { ControlBlock } from '../../src/machine/control-block.ts';
import type { MachineMessage } from '../../src/machine/messages.ts';
import { TraceBuffer } from '../../src/trace/trace-buffer.ts';
import { assetPath } from '../probe/assets.ts';
import type { SearchInput, SearchResult } from './boot-and-search-worker.ts';
import { MIB } from './orders.ts';

/** A bound on what hangs: a quiet boot takes a few seconds on a core of its own. */
const LIMIT_MS = 400_000;

/** Why kernels can't be booted on this machine, or false. */
export function missingFor(...kernels: readonly KernelId[]): string | false {
  const absent = [...kernels, 'initrd-shell'].filter((id) => assetPath(id) === undefined);
  return absent.length === 0 ? false : `needs ${absent.join(', ')}: unpin test-host fetch`;
}

export type KernelId = 'kernel-6.12-cloud' | 'kernel-6.1-cloud' | 'kernel-5.10-cloud';

export interface Search {
  readonly kernel: KernelId;
  readonly type: VmTypeId;
  readonly text: string;
  readonly clock?: SoftwareKvmOptions['clock'];
}

/** Boots to the shell on the software KVM, stops the guest there, and looks for a text in what the host can read. */
export async function bootAndSearch(search: Search): Promise<SearchResult & { readonly console: string }> {
  const { kernel, type, text, clock = 'host' } = search;
  const control = new ControlBlock();
  const consoleOut = ByteRing.create(1 << 18);
  const input: SearchInput = {
    text,
    clock,
    order: {
      contract: 1,
      name: 'searched',
      type,
      regime: regimeOf(vmType(type)),
      execution: 'emulated',
      memoryBytes: 256 * MIB,
      boot: {
        kind: 'linux',
        kernel: { path: assetPath(kernel) ?? '' },
        initrd: { path: assetPath('initrd-shell') ?? '' },
        commandLine: 'quiet',
      },
    },
    control: control.buffer,
    consoleOut: consoleOut.buffer,
    consoleIn: ByteRing.create(1 << 12).buffer,
    trace: TraceBuffer.create().buffer,
  };
  const worker = new Worker(new URL('./boot-and-search-worker.ts', import.meta.url), { workerData: input });
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
