import { mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { agentProgram } from '@unpin/agent';
import { UnpinError } from '@unpin/contract';
import { controlProgram } from '@unpin/control';
import { vmmProgram } from '@unpin/vmm';
import { Service } from './service.ts';

export interface LocalServer {
  readonly url: string;
  /** Undefined when the signal fired; an error when a service ended by itself. */
  endedOr(signal: AbortSignal): Promise<UnpinError | undefined>;
  stop(): Promise<void>;
}

/**
 * Control plane and this machine's agent as two processes, on a database in the state directory, or on that of
 * DATABASE_URL. Throws DATABASE_IN_USE, DATABASE_*, ADDRESS_IN_USE, CONFIG_INVALID.
 */
export async function serve(options: { readonly listen: string; readonly stateDir: string }): Promise<LocalServer> {
  const port = portOf(options.listen);
  mkdirSync(options.stateDir, { recursive: true, mode: 0o700 });
  const control = await Service.start<{ url: string }>('control plane', controlProgram(), [
    ...(process.env['DATABASE_URL'] === undefined ? ['--database', join(options.stateDir, 'unpin.db')] : []),
    '--port',
    String(port),
  ]);
  try {
    const agent = await Service.start('agent', agentProgram(), [
      '--control',
      control.ready.url,
      '--host',
      hostName(),
      '--state-dir',
      options.stateDir,
      '--vmm',
      vmmProgram(),
    ]);
    return {
      url: control.ready.url,
      endedOr: (signal) => endedOr(signal, control, agent),
      async stop() {
        await agent.stop();
        await control.stop();
      },
    };
  } catch (thrown) {
    await control.stop();
    throw thrown;
  }
}

/** The control plane serves loopback alone until it has TLS and people have tokens. */
function portOf(listen: string): number {
  const match = /^(127\.0\.0\.1|localhost):(\d{1,5})$/.exec(listen);
  const port = Number(match?.[2]);
  if (match === null || port > 65535)
    throw new UnpinError('CONFIG_INVALID', { subject: 'listen', found: `'${listen}'`, needed: '127.0.0.1:PORT' });
  return port;
}

/** This machine's name as a DNS label. */
function hostName(): string {
  const label = hostname()
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 63);
  return label === '' ? 'localhost' : label;
}

async function endedOr(
  signal: AbortSignal,
  control: Service<unknown>,
  agent: Service<unknown>,
): Promise<UnpinError | undefined> {
  const aborted = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined);
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  return Promise.race([aborted, endedByItself('control plane', control), endedByItself('agent', agent)]);
}

async function endedByItself(name: string, service: Service<unknown>): Promise<UnpinError> {
  return new UnpinError('INTERNAL', { subject: name, found: `it ended by itself with status ${await service.ended}` });
}
