#!/usr/bin/env node
import { writeSync } from 'node:fs';
import { UnpinError } from '@unpin/contract';
import { runAgent } from './agent.ts';
import { parseOptions } from './options.ts';

/**
 * The agent's process. Prints one line of JSON when its control plane knows it, `{"ready":{host, pid, socketPath}}`, or
 * one with `{"error":…}` and ends with the catalogue's exit code. SIGTERM and SIGINT end it in order; VMs go on.
 */
process.umask(0o077);

const ending = new AbortController();
// Both, and again: Ctrl-C reaches the whole group, and `unpin up` then ends its services one by one.
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => ending.abort());

try {
  const options = parseOptions(process.argv.slice(2));
  const agent = await runAgent(options, ending.signal);
  void agent.registered.then(() =>
    print({ ready: { host: options.host, pid: process.pid, socketPath: agent.socketPath } }),
  );
  await agent.done;
  process.exit();
} catch (error) {
  if (!ending.signal.aborted) fail(error);
  process.exit();
}

function fail(error: unknown): void {
  const known = UnpinError.from(error);
  print({ error: known.toBody() });
  process.exitCode = known.exitCode;
  if (known.code === 'INTERNAL') process.stderr.write(`${(error as Error).stack ?? String(error)}\n`);
}

function print(line: unknown): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}
