import { setTimeout as setTimeoutAsync } from 'node:timers/promises';
import type { LAUNCH_TRACE, LaunchOrder, SnapshotDone, TakeSnapshot, VmmLastLine, VmmReadyLine } from '@unpin/contract';
import { UnpinError } from '@unpin/contract/errors';
import { nowMs, processStartMs } from '../clock.ts';
import { ConsoleServer } from '../console/console-server.ts';
import type { MachineEnding, MachineMessage } from '../machine/messages.ts';
import { Symbols } from '../symbols/symbols.ts';
import { TraceDesk } from '../trace/trace-desk.ts';
import { within } from '../within.ts';
import { outcomeOf } from './ending.ts';
import { type Alarm, Keeper } from './keeper.ts';
import type { MachineThread } from './machine-thread.ts';
import { VmRecord } from './record.ts';
import type { SocketPaths } from './socket-dir.ts';
import { DEFAULT_LIMITS } from './watchdog.ts';

/** How long a machine that was told to end may take to give everything back, in milliseconds. */
const END_GRACE_MS = 30_000;
/** How long the API waits for fresh figures, in milliseconds. */
const FIGURES_MS = 1_000;
/** Console lines that are looked at for a panic. */
const LAST_LINES = 40;
/** Lies that the last line tells. */
const LAST_LIES = 100;
/** Conversions that the last line tells. */
const LAST_CONVERSIONS = 2_000;
/** The contract's word, without loading its schemas for it. */
const LAUNCH: typeof LAUNCH_TRACE = 'launch';
/** How soon input that found no room is offered again, in milliseconds. */
const INPUT_RETRY_MS = 20;

export interface RunVmOptions {
  /** Not yet launched. */
  readonly thread: MachineThread;
  readonly order: LaunchOrder;
  readonly sockets: SocketPaths;
  readonly print: (line: VmmReadyLine | VmmLastLine) => void;
  /** Look up the symbols of all conversions that the last line tells: for those who ask when the VM is gone. */
  readonly nameConversions: boolean;
}

/** A VM in this process, until it ends. Answers the exit status. */
export class VmProcess {
  readonly #options: RunVmOptions;
  readonly #thread: MachineThread;
  readonly #record: VmRecord;
  readonly #symbols: Symbols;
  readonly #console: ConsoleServer;
  readonly #keeper: Keeper;
  readonly #traces: TraceDesk;
  /** One after the other: the machine answers in this order. */
  readonly #snapshotWaiters: { done: (outcome: SnapshotDone) => void; failed: (error: UnpinError) => void }[] = [];
  readonly #figureWaiters = new Set<{ seq: number; done: () => void }>();
  readonly #lost: Promise<MachineEnding>;
  #declareLost: (how: MachineEnding) => void = () => {};
  /** Resolves when the machine has ended and the record says how. */
  readonly #finished: Promise<void>;
  #declareFinished: () => void = () => {};

  constructor(options: RunVmOptions) {
    const { order } = options;
    this.#options = options;
    this.#thread = options.thread;
    this.#record = new VmRecord(order, this.#thread.control, processStartMs());
    this.#symbols = new Symbols(order.boot);
    this.#console = new ConsoleServer((bytes) => this.#type(bytes));
    this.#keeper = new Keeper({
      control: this.#thread.control,
      limits: { ...DEFAULT_LIMITS, ...(order.stuckAfterMs === undefined ? {} : { stuckAfterMs: order.stuckAfterMs }) },
      onAlarm: (alarm) => this.#alarm(alarm),
      now: nowMs,
    });
    this.#traces = new TraceDesk({
      control: this.#thread.control,
      buffer: this.#thread.trace,
      symbols: this.#symbols,
      kick: () => this.#keeper.kick(),
      now: nowMs,
      firstInstructionMs: () => this.#record.firstInstructionMs,
    });
    this.#lost = new Promise((resolve) => (this.#declareLost = resolve));
    this.#finished = new Promise((resolve) => (this.#declareFinished = resolve));
  }

  /** Asks the guest to end, from outside: as pulling its plug. */
  stop(reason: 'stopped' | 'timeout'): void {
    this.#thread.control.requestStop(reason);
    this.#keeper.kick();
    setTimeout(() => {
      const found = `it did not end within ${END_GRACE_MS / 1000} s of being told to`;
      this.#declareLost(failed(new UnpinError('GUEST_STUCK', { subject: this.#options.order.name, found })));
    }, END_GRACE_MS).unref();
  }

  async run(): Promise<number> {
    const { order, sockets, print } = this.#options;
    const timeout = order.timeoutMs ?? 0;
    const limit = timeout > 0 ? setTimeout(() => this.stop('timeout'), timeout) : undefined;
    let servers: { close(): Promise<void> } | undefined;
    if (order.trace !== undefined) this.#traces.start(order.trace, LAUNCH);
    this.#thread.launch(order, (message) => void this.#take(message));
    try {
      servers = await this.#serve();
      print({ ready: { name: order.name, pid: process.pid, ...sockets } });
    } catch (cause) {
      this.#declareLost(failed(UnpinError.from(cause)));
      this.#thread.control.requestStop('stopped');
    }
    const output = this.#pumpOutput();
    const how = await Promise.race([this.#thread.ended, this.#lost]);
    clearTimeout(limit);
    this.#keeper.stop();
    this.#traces.vmEnded();
    const gone = await within(this.#thread.gone(), END_GRACE_MS);
    await output.finish();
    const lies = this.#record.lies.since(Math.max(0, this.#record.lies.total - LAST_LIES));
    await this.#symbols.learn([...('rip' in how ? [how.rip] : []), ...lies.map((lie) => lie.rip)]);
    const words = { lines: this.#console.replay.lastLines(LAST_LINES) };
    const outcome = outcomeOf(order.name, how, words, this.#symbols.nameOf);
    this.#record.end(outcome.state, outcome.ending);
    for (const { failed } of this.#snapshotWaiters.splice(0)) failed(this.#noSnapshot('it has ended'));
    this.#declareFinished();
    await this.#traces.finish();
    const { ending, error, exitCode } = outcome;
    const { conversions, events } = this.#record;
    const latest = conversions.since(Math.max(0, conversions.total - LAST_CONVERSIONS));
    // The API answers until then, and says that the VM has ended.
    if (this.#options.nameConversions) await this.#symbols.learn(latest.map(({ rip }) => rip));
    await servers?.close();
    const report = this.#record.report();
    print({
      ending,
      figures: report.figures,
      report,
      ...(lies.length === 0 ? {} : { lies: lies.map((lie) => this.#record.lieMessage(lie, this.#symbols.nameOf)) }),
      conversions: latest.map((entry) => this.#record.conversionMessage(entry, this.#symbols.nameOf)),
      events: [...events.since(0)],
      ...(error === undefined ? {} : { error }),
    });
    // A thread that can't be got out of the kernel would hold the process for ever.
    if (!gone) process.kill(process.pid, 'SIGKILL');
    return exitCode;
  }

  async #serve(): Promise<{ close(): Promise<void> }> {
    const { sockets } = this.#options;
    const [{ serveApi }] = await Promise.all([import('./api-server.ts'), this.#console.listen(sockets.console)]);
    const api = await serveApi(
      {
        record: this.#record,
        symbols: this.#symbols,
        traces: this.#traces,
        refreshFigures: () => this.#refreshFigures(),
        takeSnapshot: async (request) => {
          const done = await this.#takeSnapshot(request);
          if (request.stop === true) await this.#finished;
          return done;
        },
        stop: async () => {
          this.stop('stopped');
          await this.#finished;
        },
      },
      sockets.api,
    );
    return { close: async () => void (await Promise.all([api.close(), this.#console.close()])) };
  }

  async #take(message: Exclude<MachineMessage, { kind: 'ended' }>): Promise<void> {
    if (message.kind === 'kick-target') {
      // What is behind it (the FFI for the kernel's KVM) is loaded while the guest already runs.
      const { openKicker } = await import('@unpin/kvm');
      this.#keeper.follow(await openKicker(message.target));
      const { control } = this.#thread;
      if (control.stopReason !== 'none' || control.traced !== 0) this.#keeper.kick();
      return;
    }
    if (message.kind === 'restored-console') {
      this.#console.print(message.bytes);
      return;
    }
    if (message.kind === 'snapshot') {
      const waiter = this.#snapshotWaiters.shift();
      if ('code' in message.outcome) waiter?.failed(UnpinError.fromBody(message.outcome));
      else waiter?.done(message.outcome);
      return;
    }
    this.#record.take(message);
    if (message.kind !== 'figures') return;
    for (const waiter of this.#figureWaiters)
      if (((message.seq - waiter.seq) | 0) >= 0) {
        this.#figureWaiters.delete(waiter);
        waiter.done();
      }
  }

  /** Rejects with what hinders it. */
  async #takeSnapshot({ path, stop = false }: TakeSnapshot): Promise<SnapshotDone> {
    if (this.#record.state !== 'running') throw this.#noSnapshot(`state ${this.#record.state}`);
    const answer = new Promise<SnapshotDone>((done, failed) => this.#snapshotWaiters.push({ done, failed }));
    this.#thread.requestSnapshot({ path, stop, console: this.#console.replay.all() });
    this.#keeper.kick();
    return await this.#keeper.during(answer);
  }

  #noSnapshot(found: string): UnpinError {
    const { name } = this.#options.order;
    return new UnpinError('SNAPSHOT_UNAVAILABLE', { subject: name, found, needed: 'a running VM' });
  }

  #alarm(alarm: Alarm): void {
    switch (alarm.kind) {
      case 'stuck':
        this.#thread.control.requestStop('stuck');
        this.#keeper.kick();
        return;
      case 'lost': {
        const { rip } = this.#thread.control.sample;
        const found = `no answer to a kick for ${Math.round(alarm.unansweredMs / 1000)} s, last seen at RIP 0x${rip.toString(16)}`;
        this.#declareLost(failed(new UnpinError('GUEST_STUCK', { subject: this.#options.order.name, found })));
      }
    }
  }

  /** Input waits where the guest doesn't read: a paste of any length arrives whole. */
  async #type(bytes: Uint8Array): Promise<void> {
    let left = bytes;
    while (left.length > 0 && this.#record.state !== 'ended' && this.#record.state !== 'failed') {
      left = left.subarray(this.#thread.consoleIn.write(left));
      this.#keeper.kick();
      if (left.length > 0) await setTimeoutAsync(INPUT_RETRY_MS, undefined, { ref: false });
    }
  }

  async #refreshFigures(): Promise<void> {
    if (this.#record.state !== 'running') return;
    const seq = this.#thread.control.requestFigures();
    await within(
      new Promise<void>((done) => {
        this.#figureWaiters.add({ seq, done });
        this.#keeper.kick();
      }),
      FIGURES_MS,
    );
  }

  /** Carries what the guest prints to the readers, until `finish`: then what is left. */
  #pumpOutput(): { finish(): Promise<void> } {
    const ring = this.#thread.consoleOut;
    const over = new AbortController();
    const drain = () => {
      const bytes = ring.read();
      if (bytes.length === 0) return;
      if (bytes.includes(0x0a)) this.#record.lineEnded(nowMs());
      this.#console.print(bytes);
    };
    const pump = (async () => {
      while (!over.signal.aborted) {
        await ring.readable(200);
        drain();
      }
      drain();
    })();
    return {
      finish: async () => {
        over.abort();
        await pump;
      },
    };
  }
}

function failed(error: UnpinError): MachineEnding {
  return { reason: 'failed', error: error.toBody() };
}
