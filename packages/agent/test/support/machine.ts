import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { controlRoutes, type ErrorBody, type ImageView, type VmView } from '@unpin/contract';
import { type Client, createClient } from '@unpin/contract/client';
import { agentProgram, runningVms } from '../../src/index.ts';

const CONTROL = fileURLToPath(new URL('../../../control/src/main.ts', import.meta.url));
export const STAND_IN = fileURLToPath(new URL('stand-in-vmm.ts', import.meta.url));
export const REAL_VMM = fileURLToPath(new URL('../../../vmm/src/main.ts', import.meta.url));

export interface Program {
  readonly pid: number;
  /** Its first line. */
  readonly said: { readonly ready?: Record<string, unknown>; readonly error?: ErrorBody };
  readonly exited: Promise<number | null>;
  /** Answers the exit code. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
}

/** A control plane and this machine's agent as two processes, in a directory of their own. Ends with the test. */
export class Machine {
  readonly dir: string;
  readonly people: Client<typeof controlRoutes>;
  readonly #t: TestContext;
  readonly #port: number;
  readonly #vmm: string;
  readonly #agents: { alive: boolean; killed: boolean; readonly said: string }[] = [];

  private constructor(t: TestContext, dir: string, port: number, vmm: string) {
    this.#t = t;
    this.dir = dir;
    this.#port = port;
    this.#vmm = vmm;
    this.people = createClient(controlRoutes, { url: this.url });
  }

  static async prepare(t: TestContext, vmm = STAND_IN): Promise<Machine> {
    const dir = mkdtempSync(join(tmpdir(), 'unpin-a-'));
    const machine = new Machine(t, dir, await freePort(), vmm);
    t.after(() => machine.#leaveNothing());
    return machine;
  }

  static async start(t: TestContext, vmm = STAND_IN): Promise<{ machine: Machine; control: Program; agent: Program }> {
    const machine = await Machine.prepare(t, vmm);
    const control = await machine.startControl();
    return { machine, control, agent: await machine.startAgent() };
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get stateDir(): string {
    return join(this.dir, 's');
  }

  startControl(database = 'db'): Promise<Program> {
    return this.#run([CONTROL, '--database', join(this.dir, database), '--port', String(this.#port)]);
  }

  async startAgent(stateDir = this.stateDir, vmm = this.#vmm): Promise<Program> {
    const args = ['--control', this.url, '--host', 'here', '--state-dir', stateDir, '--vmm', vmm];
    const program = await this.#run([agentProgram(), ...args]);
    const agent = { alive: true, killed: false, said: JSON.stringify(program.said) };
    this.#agents.push(agent);
    void program.exited.then(() => (agent.alive = false));
    return {
      ...program,
      end: (signal) => {
        agent.killed = true;
        return program.end(signal);
      },
    };
  }

  /** The image once it has been judged. */
  async judged(name: string): Promise<ImageView> {
    return await this.#once(async () => {
      const image = await this.people.getImage({ params: { name } });
      return image.state === 'inspecting' ? undefined : image;
    });
  }

  async create(name: string, image = 'probe', type = 'standard'): Promise<VmView> {
    await this.judged(image);
    const allow = ['hardware' as const, 'shaped' as const];
    return await this.people.createVm({ body: { name, image, type, memoryBytes: 2 ** 26, allow } });
  }

  /** The VM once it is in a state. */
  async inState(name: string, ...states: readonly VmView['state'][]): Promise<VmView> {
    return await this.#once(async () => {
      const vm = await this.people.getVm({ params: { name } });
      return states.includes(vm.state) ? vm : undefined;
    });
  }

  /**
   * What a look finds in the end: looked for again at each change, and every second for what is no change. However long
   * that takes on a loaded machine; but where an agent has ended by itself and none is left, nothing will come.
   */
  async once<T>(look: () => Promise<T | undefined>): Promise<T> {
    return await this.#once(look);
  }

  async #once<T>(look: () => Promise<T | undefined>): Promise<T> {
    for (;;) {
      const { revision } = await this.people.getHealth({});
      const found = await look();
      if (found !== undefined) return found;
      const dead = this.#agents.find(({ alive, killed }) => !alive && !killed);
      if (dead !== undefined && !this.#agents.some(({ alive }) => alive))
        throw new Error(`the agent ended by itself after it had said ${dead.said}`);
      await this.people.watch({ query: { since: revision, waitMs: 1000 } });
    }
  }

  async #run(args: readonly string[]): Promise<Program> {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const exited = (once(child, 'exit') as Promise<[number | null]>).then(([code]) => code);
    this.#t.after(() => child.kill('SIGKILL'));
    const line = await firstLine(child);
    return {
      pid: child.pid ?? 0,
      said: JSON.parse(line) as Program['said'],
      exited,
      async end(signal) {
        child.kill(signal);
        return await exited;
      },
    };
  }

  /** VMs outlive agents: here they must not. */
  #leaveNothing(): void {
    for (const stateDir of [this.stateDir, join(this.dir, 'other')])
      for (const { pid } of runningVms(stateDir)) process.kill(pid, 'SIGKILL');
    rmSync(this.dir, { recursive: true, force: true });
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('no standard output');
  for await (const line of createInterface({ input: child.stdout })) return line;
  throw new Error('it ended without a word');
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}
