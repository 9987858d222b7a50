/** The thread that checks rules: vCPUs made by a rule belong to it. Started by rule-process.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Kvm } from '../src/port/kvm.ts';
import { openBackend } from './backend-ref.ts';
import { Evaluator } from './evaluate.ts';
import { GuestWatch } from './guest-watch.ts';
import type { Job, Progress } from './job.ts';
import { VM_TYPE } from './numbers.ts';
import { importRules } from './rule-module.ts';

const { job, words, told } = workerData as {
  readonly job: Job;
  readonly words: Int32Array;
  /** Counts the beginnings of rules that are on their way out of this process. */
  readonly told: Int32Array;
};
const port = parentPort;
if (port === null) throw new Error('rule-thread.ts runs as a worker thread');

const say = (progress: Progress): void => port.postMessage(progress);

let kvm: Kvm | undefined;
try {
  kvm = await openBackend(job.backend);
  say({ kind: 'opened', info: { ...kvm.info } });
} catch (error) {
  say({ kind: 'unavailable', reason: error instanceof Error ? error.message : String(error) });
}
if (kvm !== undefined) {
  const rules = new Map((await importRules(job.rules)).map((rule) => [rule.id, rule]));
  // Linux patches its own code when the first VM comes and the last one goes. Several hundred times of that are slow,
  // and an emulated host with several CPUs may not survive them: one VM stays for the whole run.
  const first = kvm.createVm(VM_TYPE.DEFAULT);
  const evaluator = new Evaluator(kvm, new GuestWatch(words, job.runLimitMs, (message) => port.postMessage(message)));
  for (const [index, id] of job.ids.entries()) {
    const rule = rules.get(id);
    if (rule === undefined) throw new RangeError(`no rule '${id}'`);
    say({ kind: 'started', id });
    // The rule may take the process down: what those before it came to must be out by then.
    Atomics.wait(told, 0, index);
    say({ kind: 'outcome', outcome: evaluator.evaluate(rule) });
  }
  first.close();
  kvm.close();
}
