// The module's exports: what src/engine.ts calls.
export { debugTranslate } from "./debug-translate";
export { deliverInterrupt, deliverNmi, raise } from "./exceptions";
export { readFlags, writeFlags } from "./flags";
export { writeMsr } from "./model-specific";
export { translatedGpa } from "./paging";
export { run } from "./run";
export { stateLoaded } from "./state";
export { flushTlbs, forgetCode, protectFrame, selectTlb } from "./tlb";
