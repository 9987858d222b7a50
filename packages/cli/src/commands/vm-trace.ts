import { TRACE_KINDS, UnpinError } from '@unpin/contract';
import { controlClient } from '../control-client.ts';
import { followTrace } from '../local/follow-trace.ts';
import { TraceOutput } from '../local/trace-output.ts';
import type { GlobalOptions } from '../program.ts';
import { parseTraceKinds } from './trace-kinds.ts';

export interface TraceOptions {
  readonly kinds?: string;
  /** Seconds. */
  readonly duration?: number;
  /** Milliseconds. */
  readonly every?: number;
}

/** Traces a running VM until Ctrl-C, until its time is over or until the VM ends. The VM goes on. */
export async function vmTrace(globals: GlobalOptions, name: string, options: TraceOptions): Promise<number> {
  const { duration, every } = options;
  const body = {
    kinds: options.kinds === undefined ? [...TRACE_KINDS] : parseTraceKinds(options.kinds, '--kinds'),
    ...(every === undefined ? {} : { everyMs: number('--every', every, 1, 1000) }),
    ...(duration === undefined ? {} : { durationMs: Math.ceil(number('--duration', duration, 0.001, 86_400) * 1000) }),
  };
  const client = controlClient(globals);
  const output = new TraceOutput({ stream: process.stdout, json: globals.json === true });
  const enough = new AbortController();
  const stop = (): void => enough.abort();
  process.once('SIGINT', stop).once('SIGTERM', stop);
  try {
    const { trace, since } = await client.startVmTrace({ params: { name }, body });
    const params = { name, trace };
    const source = {
      read: (since: number, waitMs: number) => client.readVmTrace({ params, query: { since, waitMs } }),
      end: (since: number) => client.endVmTrace({ params, query: { since } }),
    };
    await followTrace(source, since, (page) => output.page(page), enough.signal);
  } finally {
    process.off('SIGINT', stop).off('SIGTERM', stop);
  }
  await output.summary();
  return 0;
}

/** @throws UnpinError USAGE */
function number(option: string, value: number, least: number, most: number): number {
  if (value >= least && value <= most && (option !== '--every' || Number.isInteger(value))) return value;
  throw new UnpinError('USAGE', { subject: option, found: String(value), needed: `${least} to ${most}` });
}
