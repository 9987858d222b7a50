import { UnpinError } from '@unpin/contract/errors';
import { VERSION } from '../version.ts';
import { HELP, parseArguments, type Request } from './arguments.ts';

/** The program behind `unpin-vmm`. Answers the exit status. */
export async function program(argv: readonly string[]): Promise<number> {
  try {
    return await perform(parseArguments(argv));
  } catch (thrown) {
    const error = UnpinError.from(thrown);
    process.stderr.write(`${error.message}\n${error.parts.next === undefined ? '' : `next: ${error.parts.next}\n`}`);
    return error.exitCode;
  }
}

/** Each request loads only what it needs. */
async function perform(request: Request): Promise<number> {
  switch (request.kind) {
    case 'help':
      process.stdout.write(HELP);
      return 0;
    case 'version':
      process.stdout.write(`unpin-vmm ${VERSION}\n`);
      return 0;
    case 'capabilities': {
      const { printCapabilities } = await import('../capabilities/print.ts');
      return await printCapabilities(request.json);
    }
    case 'run': {
      const { runCommand } = await import('./run-command.ts');
      return await runCommand(request);
    }
  }
}
