#!/usr/bin/env node
import { UnpinError } from '@unpin/contract';
import { parseOptions } from './options.ts';
import { serve } from './serve.ts';

/**
 * The control plane's process. Prints one line of JSON when it serves, `{"ready":{url, pid, database}}`, or one with
 * `{"error":…}` and ends with the catalogue's exit code. SIGTERM and SIGINT end it in order.
 */
// What the database says of people's VMs is for this user alone.
process.umask(0o077);

try {
  const control = await serve(parseOptions(process.argv.slice(2), process.env));
  // Both, and again: Ctrl-C reaches the whole group, and `unpin up` then ends its services one by one.
  let ended: Promise<void> | undefined;
  const end = () => {
    ended ??= control.close().then(() => process.exit(0), fail);
  };
  process.on('SIGTERM', end).on('SIGINT', end);
  print({ ready: { url: control.url, pid: process.pid, database: control.database } });
} catch (error) {
  fail(error);
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
