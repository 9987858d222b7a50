// The module's exports: what src/engine.ts calls.
export { run } from "./core";
export { flushTlbs, selectTlb } from "./tlb";
