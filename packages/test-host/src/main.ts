#!/usr/bin/env node
/** Fetches what tests need, and runs commands in a test host. `--help` says more. */
import { UnpinError } from '@unpin/contract/errors';
import { USAGE } from './cli/usage.ts';

/** Exit status of a command: the command's own for `run`, else 0 or the error's. */
async function main([command, ...args]: readonly string[]): Promise<number> {
  switch (command) {
    case 'fetch':
      return await (await import('./cli/fetch-command.ts')).fetchCommand(args);
    case 'list':
      return (await import('./cli/list-command.ts')).listCommand(args);
    case 'path':
      return (await import('./cli/list-command.ts')).pathCommand(args);
    case 'run':
      return await (await import('./cli/run-command.ts')).runCommand(args);
    case '--help':
    case '-h':
    case 'help':
      process.stdout.write(USAGE);
      return 0;
    case undefined:
    default:
      throw new UnpinError('USAGE', {
        subject: command ?? 'no command',
        needed: 'fetch, list, path or run',
        next: '--help',
      });
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (thrown) {
  const error = UnpinError.from(thrown);
  const { next } = error.parts;
  process.stderr.write(`${error.code}: ${error.message}\n${next === undefined ? '' : `next: ${next}\n`}`);
  process.exitCode = error.exitCode;
}
