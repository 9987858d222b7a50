import { parentPort, workerData } from 'node:worker_threads';
import { regimeOf, vmType } from '@unpin/policy';
import { type AnyGuestMemory, createGuestMemory, type Lie } from '../../src/guest-memory/index.ts';
import { openLinuxKvm } from '../../src/linux/index.ts';
import { pinOnFault } from '../../src/linux/pinning/index.ts';
import { chooseCBit, shapedCpuid } from '../../src/linux/shape/index.ts';
import type { ConversionOutcome, Kvm, MemoryFigures, Segment, Vcpu, Vm } from '../../src/port/index.ts';
import { CAPS } from '../../src/uapi/constants.ts';
import type { HostAction, ShapedGuestJob, ShapedGuestResult } from './shaped-guest.ts';
import { assemble, CALL_PORT, DONE_PORT, MAP, pageTables } from './shaped-guest-code.ts';

const job = workerData as ShapedGuestJob;
const port = parentPort;
if (port === null) throw new Error('this file is a Worker');

const kvm = openLinuxKvm();
const vm = kvm.createVm(0);
const memory = openMemory(kvm, job.privateSide === 'memfd' ? withoutGuestMemfd(vm) : vm);
const [pinnable] = memory.pinnable;
const pinning = job.type === 'sev-deferred' && pinnable !== undefined ? await pinOnFault(pinnable.memory) : null;
load();
const vcpu = prepare(kvm, vm, memory.cBit ?? 0);
port.postMessage(vcpu.kickTarget());

const lies: Lie[] = [];
const outcomes: ConversionOutcome[] = [];
const figures: MemoryFigures[] = [];
let wrongViews = 0;
let mmioExits = 0;
let relaxed = 0;
const end = run();
const log = memory.read(MAP.log, 4096, 'private');
const reads = new Uint32Array(log.buffer).subarray(
  0,
  job.steps.filter((s) => s.do === 'read' || s.do === 'exchange').length,
);
const memslots = memory.kind === 'shaped-upm' ? memory.judgeFigures().memslots : 0;
const pinnedGranules = pinning?.figures().granules ?? 0;
const result: ShapedGuestResult = {
  end,
  reads: [...reads],
  lies,
  wrongViews,
  outcomes,
  figures,
  mmioExits,
  relaxed,
  memslots,
  pinnedGranules,
};
vcpu.close();
pinning?.close();
memory.close();
vm.close();
kvm.close();
port.postMessage(result);

function run(): string {
  for (;;) {
    const exit = vcpu.run();
    if (exit.kind === 'io' && exit.port === DONE_PORT) return 'done';
    if (exit.kind === 'io' && exit.port === CALL_PORT) {
      act(job.actions[exit.data[0] ?? 0]);
    } else if (exit.kind === 'mmio') {
      mmioExits++;
      const judgement = memory.kind === 'shaped-upm' ? memory.onMmio(exit) : null;
      if (judgement === null) return `mmio ${exit.gpa.toString(16)}`;
      if (judgement.wrongView !== null) wrongViews++;
      lies.push(...judgement.lies);
    } else if (exit.kind === 'internal-error' && memory.kind === 'shaped-upm' && memory.relax()) {
      relaxed++;
    } else {
      return JSON.stringify(exit);
    }
  }
}

function act(action: HostAction | undefined): void {
  switch (action?.do) {
    case 'convert':
      outcomes.push(memory.convert(action, action.to));
      break;
    case 'use':
      if (memory.kind === 'shaped-upm') lies.push(...memory.hostUse(action, action.what));
      break;
    case 'figures':
      figures.push(memory.figures());
      break;
    case undefined:
      throw new Error('no such action');
  }
}

function openMemory(kvm: Kvm, vm: Vm): AnyGuestMemory {
  const ranges = [{ gpa: 0, size: job.ramBytes }];
  const cBit = chooseCBit(kvm.supportedCpuid(), job.ramBytes);
  const regime = regimeOf(vmType(job.type));
  return createGuestMemory({ kvm, vm, regime, execution: 'shaped', ranges, cBit });
}

function load(): void {
  const tables = pageTables(memory.cBit ?? 0);
  memory.write(tables.gpa, tables.bytes, 'private');
  memory.write(MAP.code, assemble(job.steps), 'private');
}

function prepare(kvm: Kvm, vm: Vm, cBit: number): Vcpu {
  vm.setTssAddress(0xfffb_d000);
  const vcpu = vm.createVcpu(0);
  const options = { cBit, wantsReports: true, asyncPageFaults: false };
  vcpu.setCpuid(shapedCpuid(kvm.supportedCpuid(), options));
  const dpl = job.privilege;
  const code = segment({ selector: 0x08 | dpl, type: 11, dpl, l: 1, db: 0 });
  const data = segment({ selector: 0x10 | dpl, type: 3, dpl, l: 0, db: 1 });
  vcpu.setSregs({
    ...vcpu.getSregs(),
    cs: code,
    ds: data,
    es: data,
    fs: data,
    gs: data,
    ss: data,
    cr0: 0x8000_0011n,
    cr3: BigInt(MAP.pml4) | (1n << BigInt(cBit)),
    cr4: 0x220n,
    efer: 0x500n,
  });
  const rflags = dpl === 3 ? 0x3002n : 2n;
  vcpu.setRegs({ ...vcpu.getRegs(), rip: BigInt(MAP.code), rsp: 0xf000n, rflags });
  return vcpu;
}

function segment(own: Pick<Segment, 'selector' | 'type' | 'dpl' | 'l' | 'db'>): Segment {
  return { base: 0n, limit: 0xffff_ffff, present: 1, s: 1, g: 1, avl: 0, unusable: 0, ...own };
}

/** The same VM as a kernel without guest_memfd shows it. */
function withoutGuestMemfd(vm: Vm): Vm {
  return new Proxy(vm, {
    get(target, name) {
      if (name === 'checkExtension')
        return (cap: number) => (cap === CAPS.KVM_CAP_GUEST_MEMFD ? 0 : target.checkExtension(cap));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
