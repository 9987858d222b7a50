export {
  APIC_BASE,
  APIC_BASE_MSR,
  APIC_DEFAULT_BASE,
  type ApicFeatures,
  acceptsApicBase,
  apicMode,
} from './apic-base.ts';
export { type Clock, NEVER, type TscClock } from './clock.ts';
export type { IsOtherDescriptor } from './descriptors.ts';
export { EventCounters, type EventCountersHandle } from './event-counters.ts';
export { EventWords, SIGNALLED } from './event-words.ts';
export {
  InterruptControllers,
  type InterruptControllersOptions,
  type InterruptControllersState,
  type VcpuWiring,
} from './interrupt-controllers.ts';
export { IRQCHIP } from './irqchip-structs.ts';
export { LAPIC_STATE_BYTES } from './lapic-state.ts';
export { type ApicCpu, LocalApic, type LocalApicState, type MsrOutcome } from './local-apic.ts';
export { PIT_SPEAKER_DUMMY } from './pit.ts';
export type { U64Words } from './u64-words.ts';
