import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CATALOGUE,
  LAUNCH_TRACE,
  type LaunchOrder,
  type Lie,
  UnpinError,
  type VmEvent,
  type VmReport,
  vmmRoutes,
} from '@unpin/contract';
import { createClient } from '@unpin/contract/client';
import { startVmm } from '@unpin/vmm';
import { lieText } from '../render/memory-events.ts';
import { type ProgressLine, progressLine } from '../render/print.ts';
import { bytes as bytesText } from '../render/units.ts';
import { attachConsole } from './console.ts';
import { followTrace } from './follow-trace.ts';
import { TraceOutput } from './trace-output.ts';

export interface RunResult {
  readonly report: VmReport;
  readonly lies: readonly Lie[];
}

/** A launch's trace ends with its VM. */
const NEVER = new AbortController().signal;

interface Options {
  /** Where the guest's console goes; with --json stdout stays one JSON document. */
  readonly console: 'stdout' | 'stderr' | 'none';
  /** No progress, no lies in between: the result holds them. */
  readonly json: boolean;
  /** Ends the guest. */
  readonly signal?: AbortSignal;
  /** A file that the guest is saved to before it is ended from outside. */
  readonly snapshot?: string;
}

/**
 * Runs a launch order in a VMM process of this terminal, until the guest ends. A signal ends the guest, and so does
 * Ctrl-] at a terminal, where Ctrl-C is the guest's own.
 */
export async function runLocally(order: LaunchOrder, options: Options): Promise<RunResult> {
  const dir = await mkdtemp(join(tmpdir(), 'unpin-run-'));
  const progress = progressLine(options.json);
  try {
    const vmm = await startVmm({ order, dir, withParent: true });
    const client = createClient(vmmRoutes, { socketPath: join(dir, 'api.sock') });
    const watcher = watch(client, options, progress);
    const traced = order.trace === undefined ? undefined : trace(client);
    const stop = (): void => void end(client, options).catch(() => vmm.kill());
    const terminal =
      options.console === 'none'
        ? undefined
        : attachConsole(join(dir, 'console.sock'), {
            input: process.stdin,
            output: options.console === 'stderr' ? process.stderr : process.stdout,
            onFirstByte: () => progress.stop(),
            onLeave: stop,
          });
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
    options.signal?.addEventListener('abort', stop);
    if (options.signal?.aborted === true) stop();
    try {
      const { report, lies } = await vmm.ended;
      return { report, lies };
    } finally {
      // Also where no guest ran to an end: what still listens would keep this process for ever.
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
      options.signal?.removeEventListener('abort', stop);
      await terminal?.close();
      progress.clear();
      await watcher.finish();
      await traced;
    }
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

type VmmClient = ReturnType<typeof createClient<typeof vmmRoutes>>;

/** A guest that can't be saved goes on, and says why. */
async function end(client: VmmClient, { snapshot, json }: Options): Promise<void> {
  if (snapshot === undefined) {
    await client.stopVm({});
    return;
  }
  try {
    const { bytes, milliseconds } = await client.takeSnapshot({ body: { path: snapshot, stop: true } });
    if (!json) process.stderr.write(`\r\n${savedText(snapshot, bytes, milliseconds)}\r\n`);
  } catch (thrown) {
    process.stderr.write(`\r\n${UnpinError.from(thrown).message}\r\n`);
  }
}

function savedText(path: string, size: number, milliseconds: number): string {
  return `saved to ${path}: ${bytesText(size)} in ${Math.round(milliseconds)} ms; unpin run --restore ${path} goes on`;
}

/** Follows events and lies while the guest runs, printing what was asked for. */
function watch(client: VmmClient, options: Options, progress: ProgressLine) {
  const lies: Lie[] = [];
  const since = { events: 0, lies: 0 };
  const finished = new AbortController();
  const poll = async (): Promise<void> => {
    const [events, found] = await Promise.all([
      client.listEvents({ query: { since: since.events } }),
      client.listLies({ query: { since: since.lies } }),
    ]);
    for (const event of events.events) since.events = show(event, progress, options.json);
    for (const lie of found.lies) {
      since.lies = lie.seq + 1;
      lies.push(lie);
      if (!options.json) process.stderr.write(`\r\n${lieText(lie)}\r\n`);
    }
  };
  const loop = (async () => {
    while (!finished.signal.aborted) {
      await poll().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  })();
  return {
    async finish(): Promise<{ readonly lies: readonly Lie[] }> {
      finished.abort();
      await loop;
      return { lies };
    },
  };
}

/** What is told even when the guest's own words have begun. */
const TOLD_ALWAYS = /^restored /;

function show(event: VmEvent, progress: ProgressLine, json: boolean): number {
  if (TOLD_ALWAYS.test(event.what) && !json) process.stderr.write(`\r\n${event.what}\r\n`);
  progress.show(event.progress === undefined ? event.what : `${event.what} ${Math.round(event.progress * 100)} %`);
  return event.seq + 1;
}

/** Prints what the order asked to be traced, from the first instruction to the end. */
async function trace(client: VmmClient): Promise<void> {
  const output = new TraceOutput({ stream: process.stderr, json: false, lineEnd: '\r\n' });
  const params = { trace: LAUNCH_TRACE };
  const source = {
    read: (since: number, waitMs: number) => client.readTrace({ params, query: { since, waitMs } }),
    end: (since: number) => client.endTrace({ params, query: { since } }),
  };
  // A VMM that is gone has nothing more to tell.
  await followTrace(source, 0, (page) => output.page(page), NEVER).catch(() => undefined);
  await output.summary();
}

/** The exit status of a guest's end: a power-off or a stop is 0. */
export function exitOfEnding(report: VmReport): number {
  switch (report.ending?.reason) {
    case 'power-off':
    case 'stopped':
    case 'reboot':
      return 0;
    case 'stuck':
      return CATALOGUE.GUEST_STUCK.exit;
    case 'timeout':
      return CATALOGUE.GUEST_TIMEOUT.exit;
    case undefined:
      return CATALOGUE.VMM_DIED.exit;
    default:
      return CATALOGUE.GUEST_CRASHED.exit;
  }
}
