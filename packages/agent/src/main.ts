#!/usr/bin/env node
import { UnpinError } from '@unpin/contract';
import { type RunningAgent, runAgent } from './agent.ts';
import { parseOptions } from './options.ts';

/**
 * The agent's process. Prints one line of JSON when its control plane knows it, `{"ready":{host, pid, socketPath}}`, or
 * one with `{"error":…}` and ends with the catalogue's exit code. SIGTERM and SIGINT end it in order; VMs go on.
 */
process.umask(0o077);

try {
  const options = parseOptions(process.argv.slice(2));
  const agent = await runAgent(options);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void end(agent));
  agent.registered.then(
    () => print({ ready: { host: options.host, pid: process.pid, socketPath: agent.socketPath } }),
    fail,
  );
  agent.done.catch(async (error: unknown) => {
    fail(error);
    await agent.close();
    process.exit();
  });
} catch (error) {
  fail(error);
}

async function end(agent: RunningAgent): Promise<void> {
  await agent.close();
  process.exit(0);
}

function fail(error: unknown): void {
  const known = UnpinError.from(error);
  print({ error: known.toBody() });
  process.exitCode = known.exitCode;
  if (known.code === 'INTERNAL') process.stderr.write(`${(error as Error).stack ?? String(error)}\n`);
}

function print(line: unknown): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
