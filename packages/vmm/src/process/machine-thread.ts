import { Worker } from 'node:worker_threads';
import type { LaunchOrder } from '@unpin/contract';
import { UnpinError } from '@unpin/contract/errors';
import { ByteRing } from '../console/byte-ring.ts';
import { ControlBlock } from '../machine/control-block.ts';
import type { MachineEnding, MachineInput, MachineMessage, SnapshotRequest } from '../machine/messages.ts';
import { moduleUrl } from '../program-file.ts';
import { TraceBuffer } from '../trace/trace-buffer.ts';

/** Bytes in each direction. Output waits for the main thread when its ring is full; input is typed again by people. */
const OUTPUT_RING = 1 << 18;
const INPUT_RING = 1 << 16;

type Listener = (message: Exclude<MachineMessage, { kind: 'ended' }>) => void;

/** The machine's Worker, with the memory that it shares with this thread. It loads while its order is being checked. */
export class MachineThread {
  readonly control = new ControlBlock();
  readonly consoleOut = ByteRing.create(OUTPUT_RING);
  readonly consoleIn = ByteRing.create(INPUT_RING);
  readonly trace = TraceBuffer.create();
  /** Resolves once, with how the machine ended, also where its thread died. */
  readonly ended: Promise<MachineEnding>;
  readonly #worker: Worker;
  #listener: Listener = () => {};

  constructor() {
    const workerData: MachineInput = {
      control: this.control.buffer,
      consoleOut: this.consoleOut.buffer,
      consoleIn: this.consoleIn.buffer,
      trace: this.trace.buffer,
    };
    const worker = new Worker(moduleUrl('machine/machine-worker'), { workerData });
    this.#worker = worker;
    this.ended = new Promise((resolve) => {
      worker.on('message', (message: MachineMessage) => {
        if (message.kind === 'ended') resolve(message.how);
        else this.#listener(message);
      });
      worker.once('error', (cause) => resolve({ reason: 'failed', error: UnpinError.from(cause).toBody() }));
      worker.once('exit', (code) =>
        resolve({
          reason: 'failed',
          error: new UnpinError('VMM_DIED', {
            subject: "the machine's thread",
            found: `it ended with ${code}`,
          }).toBody(),
        }),
      );
    });
  }

  /** Gives the machine its order. Once. */
  launch(order: LaunchOrder, listener: Listener): void {
    this.#listener = listener;
    this.#worker.postMessage(order);
  }

  /** Puts a request before the running machine; a kick makes it look. */
  requestSnapshot(request: SnapshotRequest): void {
    this.#worker.postMessage(request);
    this.control.requestSnapshot();
  }

  /** Resolves when the thread is gone, so that all it held has been given back. */
  async gone(): Promise<void> {
    await this.#worker.terminate();
  }
}
