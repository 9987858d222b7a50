import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { ErrorBody, LaunchOrder } from '@unpin/contract';
import { UnpinError } from '@unpin/contract/errors';
import type { Kvm } from '@unpin/kvm';
import type { Regime } from '@unpin/policy';
import { type ReadBootSet, readBootSet } from './boot-set.ts';
import { ControlBlock } from './control-block.ts';
import { toCatalogue } from './known-errors.ts';
import { openKvm } from './kvm-backend.ts';
import { Machine } from './machine.ts';
import type { MachineEnding, MachineInput, MachineMessage, SnapshotRequest } from './messages.ts';
import { probationText } from './probation.ts';
import { Teller } from './teller.ts';

/** The machine's thread: owns KVM objects, memory and devices, and runs the vCPU. Ends when the guest has. */
const port = parentPort;
if (port !== null) {
  const input = workerData as MachineInput;
  const control = new ControlBlock(input.control);
  const teller = new Teller((message: MachineMessage) => port.postMessage(message), control);
  // The order comes when it has been checked; until then this thread has loaded what it needs.
  port.once('message', (order: LaunchOrder) => {
    void runOrder({ ...input, order, nextSnapshot }, control, teller).then((how) => teller.say({ kind: 'ended', how }));
  });
}

/** A running machine blocks this thread: what comes meanwhile is taken by hand. */
function nextSnapshot(): SnapshotRequest | undefined {
  return port === null ? undefined : (receiveMessageOnPort(port)?.message as SnapshotRequest | undefined);
}

interface OrderInput extends MachineInput {
  readonly order: LaunchOrder;
  readonly nextSnapshot: () => SnapshotRequest | undefined;
}

async function runOrder(input: OrderInput, control: ControlBlock, teller: Teller): Promise<MachineEnding> {
  const { order } = input;
  let kvm: Kvm | undefined;
  try {
    const bootSet = order.restore === undefined ? readBootSet(order) : null;
    kvm = await openKvm(order.execution);
    const first = await runOnce({ ...input, kvm, bootSet, regime: order.regime, onProbation: true }, control, teller);
    const { probation } = order;
    if (probation === undefined || !first.failedProbation) return first.how;
    teller.state('restarting', probation.fallback);
    control.resetCounters();
    const { fallbackRegime } = probation;
    return (await runOnce({ ...input, kvm, bootSet, regime: fallbackRegime, onProbation: false }, control, teller)).how;
  } catch (thrown) {
    return { reason: 'failed', error: errorBody(order, thrown) };
  } finally {
    kvm?.close();
  }
}

interface RunInput extends OrderInput {
  readonly kvm: Kvm;
  readonly bootSet: ReadBootSet | null;
  readonly regime: Regime;
  readonly onProbation: boolean;
}

/** One machine from launch to the last byte given back. */
async function runOnce(
  input: RunInput,
  control: ControlBlock,
  teller: Teller,
): Promise<{ readonly how: MachineEnding; readonly failedProbation: boolean }> {
  const { order } = input;
  const onProbation = input.onProbation && order.probation !== undefined;
  const machine = await Machine.launch({ ...input, onProbation, teller, control });
  try {
    const how = machine.run();
    const { probation } = machine.witness;
    if (probation !== undefined && order.probation !== undefined) {
      const text = probationText(probation, order.probation.fallback);
      teller.say({ kind: 'probation', text });
      teller.event(`probation ${text}`);
    }
    machine.tellFigures();
    return { how, failedProbation: probation?.state === 'failed' };
  } finally {
    machine.close();
  }
}

function errorBody(order: LaunchOrder, thrown: unknown): ErrorBody {
  const known = toCatalogue(order.name, thrown);
  // A defect's stack is for whoever mends it, not for the API.
  if (known.code === 'INTERNAL' && thrown instanceof Error) process.stderr.write(`${thrown.stack ?? thrown.message}\n`);
  return (known instanceof UnpinError ? known : UnpinError.from(thrown)).toBody();
}
