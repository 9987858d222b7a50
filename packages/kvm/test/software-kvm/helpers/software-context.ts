import { Worker } from 'node:worker_threads';
import { GuestWatch } from '../../../conformance/guest-watch.ts';
import { RuleContext } from '../../../conformance/rule-context.ts';
import { WATCHDOG_WORDS } from '../../../conformance/watchdog.ts';
import { openSoftwareKvm, type SoftwareKvm, type SoftwareKvmOptions } from '../../../src/software/index.ts';

const LIMIT_MS = 30_000;

/** A software KVM with what the conformance guests need: every run is watched from another thread. */
export interface SoftwareContext extends Disposable {
  readonly kvm: SoftwareKvm;
  readonly ctx: RuleContext;
}

export function softwareContext(options: SoftwareKvmOptions = {}): SoftwareContext {
  const words = new Int32Array(new SharedArrayBuffer(WATCHDOG_WORDS * Int32Array.BYTES_PER_ELEMENT));
  const thread = new Worker(new URL('kick-thread.ts', import.meta.url), { workerData: { words, limitMs: LIMIT_MS } });
  thread.unref();
  const kvm = openSoftwareKvm(options);
  const ctx = new RuleContext(
    kvm,
    [6, 18, 0],
    new GuestWatch(words, LIMIT_MS, (message) => thread.postMessage(message)),
  );
  return {
    kvm,
    ctx,
    [Symbol.dispose]: () => {
      ctx.closeAll();
      kvm.close();
      void thread.terminate();
    },
  };
}
