export { createHostMemory, Engine, type EngineHost } from './engine.ts';
export * as layout from './layout.ts';
