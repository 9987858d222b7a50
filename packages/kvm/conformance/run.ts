import { type ChildProcess, fork } from 'node:child_process';
import type { BackendInfo } from '../src/port/kvm.ts';
import type { BackendRef } from './backend-ref.ts';
import type { Job, Progress } from './job.ts';
import type { Outcome } from './outcome.ts';
import type { Report } from './report.ts';
import { importRules, SUITE_RULES } from './rule-module.ts';
import { DEFAULT_RUN_LIMIT_MS, GIVE_UP_MS } from './watchdog.ts';

export interface SuiteOptions {
  readonly backend: BackendRef;
  /** URL of a module that exports `rules`; the suite's own where left out. */
  readonly rules?: string;
  /** Only these ids. RangeError for one that isn't there. */
  readonly only?: readonly string[];
  /** Longest time inside one KVM_RUN, in milliseconds. */
  readonly runLimitMs?: number;
  /** Longest time without a word from the rule process before it is killed, in milliseconds. */
  readonly silenceLimitMs?: number;
  /** Called as each outcome is known. */
  readonly onOutcome?: (outcome: Outcome) => void;
}

/** There is no KVM to ask. */
export class NoKvm extends Error {
  override readonly name = 'NoKvm';
}

/**
 * Asks a backend all rules. They run in a process of their own: one that crashes or can't be kicked out of KVM_RUN
 * fails, and a new process goes on with the next. Errors: NoKvm where the backend doesn't open.
 */
export async function runSuite(options: SuiteOptions): Promise<Report> {
  const rulesModule = options.rules ?? SUITE_RULES;
  const known = (await importRules(rulesModule)).map(({ id }) => id);
  for (const id of options.only ?? []) if (!known.includes(id)) throw new RangeError(`no rule '${id}'`);
  const wanted = options.only ?? known;
  const runLimitMs = options.runLimitMs ?? DEFAULT_RUN_LIMIT_MS;
  const silenceLimitMs = options.silenceLimitMs ?? runLimitMs + GIVE_UP_MS;
  const outcomes: Outcome[] = [];
  let backend: BackendInfo | undefined;
  do {
    const ids = wanted.slice(outcomes.length);
    const job = { backend: options.backend, rules: rulesModule, ids, runLimitMs, silenceLimitMs };
    const part = await runProcess(job, options.onOutcome);
    backend = part.backend;
    outcomes.push(...part.outcomes);
  } while (outcomes.length < wanted.length);
  return { backend, outcomes };
}

/** One process: at least one outcome comes out of it, or NoKvm. */
async function runProcess(job: Job, onOutcome: SuiteOptions['onOutcome']): Promise<Report> {
  const child = fork(new URL('rule-process.ts', import.meta.url), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const outcomes: Outcome[] = [];
  let backend: BackendInfo | undefined;
  let unavailable: string | undefined;
  let current: string | undefined;
  const finish = (outcome: Outcome): void => {
    outcomes.push(outcome);
    current = undefined;
    onOutcome?.(outcome);
  };
  const ended = await follow(child, job, (progress) => {
    switch (progress.kind) {
      case 'opened':
        backend = progress.info;
        return;
      case 'unavailable':
        unavailable = progress.reason;
        return;
      case 'started':
        current = progress.id;
        return;
      case 'outcome':
        finish(progress.outcome);
    }
  });
  if (backend === undefined) throw new NoKvm(unavailable ?? `the backend did not open: ${ended}`);
  if (outcomes.length < job.ids.length) {
    // The process went away; the rule it was at is the one that took it down.
    const id = current ?? job.ids[outcomes.length] ?? '';
    finish({ status: 'failed', id, what: 'the rule process', expected: 'an outcome', found: ended });
  }
  return { backend, outcomes };
}

/** Follows a process to its end; answers how it ended. A silent one is killed. */
function follow(child: ChildProcess, job: Job, take: (progress: Progress) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    let silent = false;
    const giveUp = (): void => {
      silent = true;
      child.kill('SIGKILL');
      // A process that the kernel doesn't let go of is left behind.
      setTimeout(() => resolve('silent, and it could not be killed'), GIVE_UP_MS).unref();
    };
    let timer = setTimeout(giveUp, job.silenceLimitMs);
    child.on('message', (progress: Progress) => {
      clearTimeout(timer);
      timer = setTimeout(giveUp, job.silenceLimitMs);
      take(progress);
    });
    child.once('error', reject);
    // Not 'exit': messages may still be on their way then.
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve(silent ? 'silent for too long: killed' : `it ended with ${signal ?? `code ${code}`}`);
    });
    child.send(job);
  });
}
