// Looking at the guest's mappings from outside, as KVM_TRANSLATE does.
import { EXIT_ARG0, EXIT_ARG1, EXIT_ARG2, FAULT_CODE, FAULT_HAS_CODE, FAULT_VECTOR, CR2 } from "../src/layout";
import { probe, translatedEncrypted, translatedGpa, translatedWritable } from "./paging";

/**
 * GPA behind a linear address, for a supervisor's read. 1: EXIT_ARG0 has the GPA (without the C bit), EXIT_ARG1 whether it is private,
 * EXIT_ARG2 whether it may be written and its D bit is set. 0: not mapped. The guest sees nothing of it: no accessed bit, no CR2, no exit.
 */
export function debugTranslate(linear: u64): u32 {
  const vector = load<u32>(FAULT_VECTOR);
  const hasCode = load<u32>(FAULT_HAS_CODE);
  const code = load<u32>(FAULT_CODE);
  const cr2 = load<u64>(CR2);
  const found = probe(linear);
  store<u32>(FAULT_VECTOR, vector);
  store<u32>(FAULT_HAS_CODE, hasCode);
  store<u32>(FAULT_CODE, code);
  store<u64>(CR2, cr2);
  if (!found) return 0;
  store<u64>(EXIT_ARG0, translatedGpa());
  store<u64>(EXIT_ARG1, translatedEncrypted());
  store<u64>(EXIT_ARG2, translatedWritable() ? 1 : 0);
  return 1;
}
