/** Our side of exits.bench.ts: one vCPU's thread. A message is one round. */
import { parentPort, workerData } from 'node:worker_threads';
import { openLinuxKvm } from '../../src/linux/index.ts';
import type { Vcpu } from '../../src/port/vcpu.ts';

const PORT_LOOP = [0xba, 0x80, 0x00, 0xb0, 0x41, 0xee, 0xeb, 0xfd];
const MMIO_LOOP = [0xb8, 0x00, 0xf0, 0x8e, 0xd8, 0xa2, 0x00, 0x00, 0xeb, 0xfb];
const SPIN = [0xeb, 0xfe];
const CODE = 0x1000;
const RAM_BYTES = 0x1_0000;

export interface ExitThreadData {
  readonly guest: 'port' | 'mmio' | 'spin';
  /** Exits of one stretch, and stretches of one round. */
  readonly exits: number;
  readonly stretches: number;
  /** For `spin`: [0] is the nanosecond of the kick, [1] of the run's end; both of process.hrtime. */
  readonly times: BigInt64Array;
}

const { guest, exits, stretches, times } = workerData as ExitThreadData;
const kvm = openLinuxKvm();
const vm = kvm.createVm(0);
vm.setTssAddress(0xfffb_d000);
const memory = kvm.allocate(RAM_BYTES);
vm.setUserMemoryRegion({ slot: 0, flags: 0, gpa: 0, size: RAM_BYTES, hva: memory.hva });
memory.write(CODE, Uint8Array.from(guest === 'port' ? PORT_LOOP : guest === 'mmio' ? MMIO_LOOP : SPIN));
const vcpu: Vcpu = vm.createVcpu(0);
const sregs = vcpu.getSregs();
Object.assign(sregs.cs, { base: 0n, selector: 0 });
vcpu.setSregs(sregs);
vcpu.setRegs({ ...vcpu.getRegs(), rip: BigInt(CODE), rflags: 2n });

parentPort?.on('message', () => {
  if (guest === 'spin') waitForKick();
  else parentPort?.postMessage({ seconds: round() });
});
parentPort?.postMessage({ target: vcpu.kickTarget() });

/** Seconds of the fastest stretch. */
function round(): number {
  let fastest = Number.POSITIVE_INFINITY;
  for (let left = stretches; left > 0; left--) fastest = Math.min(fastest, stretch());
  return fastest;
}

function stretch(): number {
  let sum = 0;
  const start = process.hrtime.bigint();
  for (let left = exits; left > 0; left--) {
    const exit = vcpu.run();
    if (exit.kind === 'io') sum += exit.port + exit.size + exit.count + (exit.data[0] ?? 0);
    else if (exit.kind === 'mmio') sum += exit.gpa + exit.size + (exit.data[0] ?? 0);
    else throw new Error(exit.kind === 'intr' ? 'kicked out by the watchdog' : `exit ${exit.kind}`);
  }
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (sum === 0) throw new Error('nothing came out');
  return seconds;
}

function waitForKick(): void {
  Atomics.store(times, 1, 0n);
  parentPort?.postMessage({ isRunning: true });
  const exit = vcpu.run();
  Atomics.store(times, 1, process.hrtime.bigint());
  parentPort?.postMessage({ kicked: exit.kind === 'intr' });
}
