import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { controlRoutes, type ErrorBody, hostRoutes, type VerdictMessage } from '@unpin/contract';
import { type Client, createClient } from '@unpin/contract/client';
import { controlProgram } from '../../src/index.ts';
import { registration } from './hosts.ts';

export interface ControlProcess {
  readonly url: string;
  readonly pid: number;
  readonly people: Client<typeof controlRoutes>;
  readonly agents: Client<typeof hostRoutes>;
  /** Ends it in order; answers the exit code. */
  stop(): Promise<number | null>;
  /** kill -9. */
  kill(): Promise<void>;
}

export type Started = ControlProcess | { readonly error: ErrorBody; readonly exitCode: number | null };

export function temporaryDir(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'unpin-control-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Starts a control plane's process, or answers the error with which it ended. Ends with the test. */
export async function tryStart(t: TestContext, database: string, prefix: readonly string[] = []): Promise<Started> {
  const args = [...prefix, process.execPath, controlProgram(), '--database', database, '--port', '0'];
  const [program = '', ...rest] = args;
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  t.after(() => child.kill('SIGKILL'));
  const line = await firstLine(child);
  const said = JSON.parse(line) as { ready?: { url: string; pid: number }; error?: ErrorBody };
  if (said.error !== undefined) return { error: said.error, exitCode: (await exited)[0] };
  if (said.ready === undefined) throw new Error(`neither ready nor error: ${line}`);
  const { url, pid } = said.ready;
  return {
    url,
    pid,
    people: createClient(controlRoutes, { url }),
    agents: createClient(hostRoutes, { url }),
    async stop() {
      child.kill('SIGTERM');
      return (await exited)[0];
    },
    async kill() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

export async function start(t: TestContext, database: string, prefix: readonly string[] = []): Promise<ControlProcess> {
  const started = await tryStart(t, database, prefix);
  if ('error' in started) throw new Error(`it did not start: ${started.error.message}`);
  return started;
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('no standard output');
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error('it ended without a word');
}

/** A control plane with one registered host, `here`, and a way to judge images as that host's agent. */
export async function startWithHost(t: TestContext, offered = registration()) {
  const control = await start(t, join(temporaryDir(t), 'unpin.sqlite'));
  const { epoch } = await control.agents.registerHost({ params: { host: 'here' }, body: offered });
  const addJudged = async (name: string, verdict: VerdictMessage) => {
    await control.people.addImage({ body: { name, boot: { kind: 'linux', kernel: `/boot/${name}` } } });
    await control.agents.putInspection({
      params: { host: 'here', image: name },
      query: { epoch },
      body: { generation: 1, verdict },
    });
  };
  return { control, people: control.people, agents: control.agents, epoch, addJudged };
}

/** The error that a call ends with. */
export async function errorOf(call: Promise<unknown>): Promise<ErrorBody> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Error && 'toBody' in error) return (error as { toBody(): ErrorBody } & Error).toBody();
    throw error;
  }
  throw new Error('it went well');
}
