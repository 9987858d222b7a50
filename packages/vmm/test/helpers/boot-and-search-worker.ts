/**
 * Boots a Linux guest on the software KVM in this thread, until it is told to stop, while the host moves pages; and then
 * looks for a text in all that the host can read of the guest's memory through the port.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { LaunchOrder } from '@unpin/contract';
import { PAGE_BYTES } from '@unpin/kvm';
import type { AnyGuestMemory } from '@unpin/kvm/guest-memory';
import { type CompactOutcome, openSoftwareKvm, type SoftwareKvm, type SoftwareKvmOptions } from '@unpin/kvm/software';
import { readBootSet } from '../../src/machine/boot-set.ts';
import { ControlBlock } from '../../src/machine/control-block.ts';
import { Machine } from '../../src/machine/machine.ts';
import type { MachineEnding, MachineInput, MachineMessage } from '../../src/machine/messages.ts';
import { Teller } from '../../src/machine/teller.ts';

export interface SearchInput extends MachineInput {
  readonly order: LaunchOrder;
  readonly text: string;
  readonly clock: NonNullable<SoftwareKvmOptions['clock']>;
}

export interface SearchResult {
  readonly kind: 'searched';
  readonly ending: MachineEnding;
  /** Where the text begins, without the C bit. */
  readonly hits: readonly number[];
  /** Pages that were not all zeros: what there was to search. */
  readonly pages: number;
  /** How often the host wanted to move a frame, by what came of it. */
  readonly moves: CompactOutcome;
}

/** The host tries to move so many frames every so many exits. */
const MOVES = 64;
const EVERY = 16;

const CHUNK = 4 << 20;

function search(memory: AnyGuestMemory, text: string): Pick<SearchResult, 'hits' | 'pages'> {
  const needle = Buffer.from(text, 'latin1');
  const zeros = Buffer.alloc(PAGE_BYTES);
  const hits: number[] = [];
  let pages = 0;
  for (const { gpa, size } of memory.ranges)
    for (let offset = 0; offset < size; offset += CHUNK) {
      const length = Math.min(CHUNK + needle.length - 1, size - offset);
      const bytes = Buffer.from(memory.read(gpa + offset, length, 'shared').buffer);
      for (let at = bytes.indexOf(needle); at >= 0; at = bytes.indexOf(needle, at + 1)) hits.push(gpa + offset + at);
      for (let at = 0; at + PAGE_BYTES <= Math.min(CHUNK, length); at += PAGE_BYTES)
        if (!bytes.subarray(at, at + PAGE_BYTES).equals(zeros)) pages++;
    }
  return { hits, pages };
}

/** From now on the host moves frames, chosen at random, between exits of vCPUs; the answer counts them. */
function moveBetweenExits(kvm: SoftwareKvm): CompactOutcome {
  const total = { moved: 0, pinned: 0, guest_memfd: 0, unowned: 0, 'out-of-frames': 0 };
  const move = (): void => {
    const outcome = kvm.mover.compact(MOVES);
    for (const kind of Object.keys(total) as (keyof CompactOutcome)[]) total[kind] += outcome[kind];
  };
  const createVm = kvm.createVm.bind(kvm);
  kvm.createVm = (type) => {
    const vm = createVm(type);
    const createVcpu = vm.createVcpu.bind(vm);
    vm.createVcpu = (id) => {
      const vcpu = createVcpu(id);
      const run = vcpu.run.bind(vcpu);
      let exits = 0;
      vcpu.run = () => {
        if (++exits % EVERY === 0) move();
        return run();
      };
      return vcpu;
    };
    return vm;
  };
  return total;
}

async function bootAndSearch({ order, text, clock, ...input }: SearchInput, port: NonNullable<typeof parentPort>) {
  const control = new ControlBlock(input.control);
  const teller = new Teller((message: MachineMessage) => port.postMessage(message), control);
  const kvm = openSoftwareKvm({ clock });
  const moves = moveBetweenExits(kvm);
  const bootSet = readBootSet(order);
  const { regime } = order;
  const machine = await Machine.launch({ ...input, kvm, order, regime, bootSet, onProbation: false, teller, control });
  const ending = machine.run();
  port.postMessage({ kind: 'searched', ending, moves, ...search(machine.witness.memory, text) } satisfies SearchResult);
  machine.close();
  kvm.close();
}

if (parentPort !== null) await bootAndSearch(workerData as SearchInput, parentPort);
