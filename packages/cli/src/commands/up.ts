import { controlRoutes, UnpinError } from '@unpin/contract';
import { createClient } from '@unpin/contract/client';
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
    await tellWhatGoesOn(server.url);
    await server.stop();
  }
}

/** A VM outlives control plane and agent by design: say which go on, and how to end them. */
async function tellWhatGoesOn(url: string): Promise<void> {
  const client = createClient(controlRoutes, { url });
  const { vms } = await client.listVms({}, { timeoutMs: 2000 }).catch(() => ({ vms: [] }));
  const running = vms.filter((vm) => vm.state !== 'ended' && vm.state !== 'failed').map((vm) => vm.name);
  if (running.length > 0)
    process.stderr.write(`VMs that go on: ${running.join(', ')}; unpin up, then unpin vm stop NAME, ends them\n`);
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
