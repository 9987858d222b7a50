export {
  CpuState,
  type DescriptorTable,
  type Segment,
  type SegmentName,
  STATE_BYTES,
  type WordName,
} from './cpu-state.ts';
export { type DescribedInstruction, describeInstruction, type MemoryUse } from './describe.ts';
export { createHostMemory, Engine, type EngineHost, type Translation } from './engine.ts';
export * as layout from './layout.ts';
