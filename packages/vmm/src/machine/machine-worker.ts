import { parentPort, workerData } from 'node:worker_threads';
import { type ErrorBody, type LaunchOrder, UnpinError } from '@unpin/contract';
import type { Kvm } from '@unpin/kvm';
import type { Regime } from '@unpin/policy';
import { type ReadBootSet, readBootSet } from './boot-set.ts';
import { ControlBlock } from './control-block.ts';
import { toCatalogue } from './known-errors.ts';
import { openKvm } from './kvm-backend.ts';
import { Machine } from './machine.ts';
import type { MachineEnding, MachineInput, MachineMessage } from './messages.ts';
import { probationText } from './probation.ts';
import { Teller } from './teller.ts';

/** The machine's thread: owns KVM objects, memory and devices, and runs the vCPU. Ends when the guest has. */
const port = parentPort;
if (port !== null) {
  const input = workerData as MachineInput;
  const control = new ControlBlock(input.control);
  const teller = new Teller((message: MachineMessage) => port.postMessage(message), control);
  const how = await runOrder(input, control, teller);
  teller.say({ kind: 'ended', how });
}

async function runOrder(input: MachineInput, control: ControlBlock, teller: Teller): Promise<MachineEnding> {
  const { order } = input;
  let kvm: Kvm | undefined;
  try {
    const bootSet = readBootSet(order);
    kvm = await openKvm();
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

interface RunInput extends MachineInput {
  readonly kvm: Kvm;
  readonly bootSet: ReadBootSet;
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
