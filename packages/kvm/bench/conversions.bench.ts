import { existsSync } from 'node:fs';
import { regimeOf, vmType } from '@unpin/policy';
import { createGuestMemory, type ShapedUpmMemory } from '../src/guest-memory/index.ts';
import { ViewJudge } from '../src/guest-memory/views.ts';
import { openLinuxKvm } from '../src/linux/index.ts';
import { chooseCBit } from '../src/linux/shape/index.ts';
import type { Kvm, Vm } from '../src/port/index.ts';
import { type BenchResult, median } from './helpers/result.ts';

const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;
const TiB = 1024 * GiB;

/** Conversions of an SEV-shaped guest's memory: how many a second, and what a range's size costs. */
export const bench = {
  title: 'Conversions',
  unavailable: (): string | undefined => (existsSync('/dev/kvm') ? undefined : 'no /dev/kvm on this machine'),
  async run(progress: (text: string) => void): Promise<readonly BenchResult[]> {
    const kvm = openLinuxKvm();
    try {
      progress('single pages');
      const single = singlePages(kvm);
      progress('ranges');
      return [single, ...repeats(kvm), ...ownCosts(), ...kvmCosts(kvm)];
    } finally {
      kvm.close();
    }
  },
};

/** One page a 2 MiB chunk, beside the calls to KVM that such a change can't do without, in the same run. */
function singlePages(kvm: Kvm): BenchResult {
  const pages = 500;
  const ours: number[] = [];
  const floor: number[] = [];
  withMemory(kvm, 4 * GiB, (memory) => {
    for (let round = 0; round < 8; round++) {
      const begin = performance.now();
      const to = round % 2 === 0 ? 'shared' : 'private';
      for (let page = 0; page < pages; page++) memory.convert({ gpa: page * 2 * MiB + 12 * KiB, size: 4 * KiB }, to);
      if (round > 1) ours.push(performance.now() - begin);
      const raw = slotCalls(kvm, pages);
      if (round > 1) floor.push(raw);
    }
  });
  const rate = (pages * 1000) / median(ours);
  const peer = (pages * 1000) / median(floor);
  const note = 'peer: the four slot calls that each needs, alone';
  return {
    name: 'one page, converted by splitting a 2 MiB slot',
    unit: '/s',
    ours: rate,
    peer,
    ratio: rate / peer,
    note,
  };
}

/** Deletes a slot and makes three, `times` over, in milliseconds. */
function slotCalls(kvm: Kvm, times: number): number {
  const vm = kvm.createVm(0);
  const memory = kvm.allocateMemfd('bench', 2 * MiB);
  const set = (slot: number, offset: number, size: number): void =>
    vm.setUserMemoryRegion({ slot, flags: 0, gpa: offset, size, hva: memory.hva + offset });
  const begin = performance.now();
  for (let time = 0; time < times; time++) {
    if (time > 0) for (const slot of [1, 2, 3]) set(slot, 0, 0);
    set(0, 0, 2 * MiB);
    set(0, 0, 0);
    set(1, 0, 12 * KiB);
    set(2, 12 * KiB, 4 * KiB);
    set(3, 16 * KiB, 64 * KiB);
  }
  // Eight calls a time were made, four of them only to start over.
  const took = (performance.now() - begin) / 2;
  memory.close();
  vm.close();
  return took;
}

/** What a guest says again costs nothing, whatever its size: kernels report all of RAM at boot. */
function repeats(kvm: Kvm): readonly BenchResult[] {
  const results: BenchResult[] = [];
  withMemory(kvm, 4 * GiB, (memory) => {
    const cost = (size: number): number => perCall(10_000, () => void memory.convert({ gpa: 0, size }, 'private'));
    const page = cost(4 * KiB);
    const all = cost(4 * GiB);
    results.push({
      name: 'all of RAM reported again',
      unit: 'µs',
      ours: all,
      peer: page,
      ratio: all / page,
      note: 'peer: one page again',
    });
  });
  return results;
}

/** The VMM's own part: attributes, judge and plan of slots, with a KVM that answers at once. */
function ownCosts(): readonly BenchResult[] {
  const judge = new ViewJudge(
    { peek: () => new Uint8Array(0), poke: () => undefined, isZero: () => true, resident: () => [], discard: () => 0 },
    'private',
    () => undefined,
  );
  const cost = (size: number): number =>
    perCall(20_000, (time) => void judge.convert(0, size / (4 * KiB), time % 2 === 0 ? 'shared' : 'private'));
  const page = cost(4 * KiB);
  return [
    { name: "4 KiB range, the VMM's own part", unit: 'µs', ours: page },
    ...[GiB, TiB].map((size) => {
      const ours = cost(size);
      return {
        name: `${label(size)} range, the VMM's own part`,
        unit: 'µs',
        ours,
        peer: page,
        ratio: ours / page,
        note: 'peer: 4 KiB',
      };
    }),
  ];
}

/** The same with KVM: a whole range changes sides. A software-paging KVM keeps a word for every page of a slot. */
function kvmCosts(kvm: Kvm): readonly BenchResult[] {
  const isSoftwarePaging = kvm.info.engine === 'pvm';
  const sizes = isSoftwarePaging ? [4 * KiB, GiB] : [4 * KiB, GiB, TiB];
  const ram = isSoftwarePaging ? 4 * GiB : TiB;
  const results: BenchResult[] = [];
  withMemory(kvm, ram, (memory) => {
    let page = 0;
    for (const size of sizes) {
      const ours = perCall(40, (time) => void memory.convert({ gpa: 0, size }, time % 2 === 0 ? 'shared' : 'private'));
      if (size === 4 * KiB) page = ours;
      const note = isSoftwarePaging
        ? 'peer: 4 KiB; this KVM pages in software: a slot costs by its size, 1 TiB is left out'
        : 'peer: 4 KiB';
      results.push({ name: `${label(size)} range, with KVM`, unit: 'µs', ours, peer: page, ratio: ours / page, note });
    }
  });
  return results;
}

function withMemory(kvm: Kvm, bytes: number, use: (memory: ShapedUpmMemory) => void): void {
  const vm: Vm = kvm.createVm(0);
  const cBit = chooseCBit(kvm.supportedCpuid(), bytes);
  const regime = regimeOf(vmType('sev-upm'));
  const memory = createGuestMemory({ kvm, vm, regime, execution: 'shaped', ranges: [{ gpa: 0, size: bytes }], cBit });
  try {
    if (memory.kind !== 'shaped-upm') throw new Error(`sev-upm got ${memory.kind} memory`);
    use(memory);
  } finally {
    memory.close();
    vm.close();
  }
}

/** Microseconds a call, the middle of five rounds. */
function perCall(calls: number, call: (time: number) => void): number {
  const rounds: number[] = [];
  for (let round = 0; round < 6; round++) {
    const begin = performance.now();
    for (let time = 0; time < calls; time++) call(time);
    if (round > 0) rounds.push(((performance.now() - begin) * 1000) / calls);
  }
  return median(rounds);
}

function label(bytes: number): string {
  return bytes >= TiB ? `${bytes / TiB} TiB` : bytes >= GiB ? `${bytes / GiB} GiB` : `${bytes / KiB} KiB`;
}
