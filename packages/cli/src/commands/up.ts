import { farewell, runningVms } from '@unpin/agent';
import { UnpinError } from '@unpin/contract';
import { queryCapabilities } from '@unpin/vmm';
import { loadConfig } from '../config/load.ts';
import { demonstrate } from '../local/demonstration.ts';
import { serve } from '../local/serve.ts';
import type { GlobalOptions } from '../program.ts';
import { capabilitiesText } from './doctor.ts';

interface Options {
  readonly demo: boolean;
  readonly testHost?: boolean;
  readonly listen?: string;
}

/**
 * The main job: what this machine can run and how; a demonstration, measured; then control plane and agent until
 * Ctrl-C. The servers start first, so that an address or a database in use is said at once.
 */
export async function up(globals: GlobalOptions, options: Options): Promise<number> {
  if (globals.json === true)
    throw new UnpinError('USAGE', {
      subject: 'up',
      found: '--json',
      next: 'unpin doctor --json, unpin compare --json',
    });
  const config = loadConfig({ ...globals, ...(options.listen === undefined ? {} : { listen: options.listen }) });
  const server = await serve({ listen: config.listen.value, stateDir: config.stateDir.value });
  const interrupted = new AbortController();
  const interrupt = (): void => interrupted.abort();
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  try {
    const capabilities = await queryCapabilities();
    process.stdout.write(`${capabilitiesText(capabilities)}\n\n`);
    if (options.demo && !interrupted.signal.aborted)
      await demonstrate(capabilities, { testHost: options.testHost, signal: interrupted.signal });
    if (!interrupted.signal.aborted) process.stdout.write(whatNext(server.url));
    const reason = await server.endedOr(interrupted.signal);
    if (reason !== undefined) throw reason;
    return 0;
  } finally {
    await server.stop();
    for (const line of farewell(runningVms(config.stateDir.value))) process.stderr.write(`${line}\n`);
  }
}

function whatNext(url: string): string {
  return [
    `serving on ${url} (control plane and this machine's agent); Ctrl-C ends it`,
    '',
    'try next, in another terminal:',
    '  unpin image list',
    '  unpin vm create first --image probe --type sev-upm --execution shaped',
    '  unpin vm show first',
    '  unpin image inspect /path/to/vmlinuz --evidence',
    '(from a checkout: npm run --silent unpin -- image list)',
    '',
  ].join('\n');
}
