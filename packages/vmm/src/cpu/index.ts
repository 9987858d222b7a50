export { type GuestCpuidOptions, guestCpuid } from './guest-cpuid.ts';
export { type HostCpuFacts, hostCpuFacts, isEmulatedHost } from './host-cpu.ts';
export { isParked } from './parked.ts';
export { prepareVcpu } from './prepare-vcpu.ts';
export { START_MSRS, startFpu, withVirtualWire } from './start-state.ts';
