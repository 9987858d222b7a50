// Exceptions and interrupts: which follows which when a delivery itself faults. AMD64 APM volume 2, chapter 8.
import {
  CR0, CR2, DR, EFLAGS_REST, EVENTS, EXIT_REASON, EXIT_SHUTDOWN, FAULT_CODE, FAULT_HAS_CODE, FAULT_VECTOR, IRQ_SHADOW,
  NMI_BLOCKED, RIP, TELL_EXCEPTIONS,
} from "../src/layout";
import { VECTOR_DB, VECTOR_DF, VECTOR_EXIT, VECTOR_NMI, VECTOR_PF } from "./fault";
import { readFlags } from "./flags";
import { exception } from "./host";
import { deliverLong } from "./interrupt-long";
import { deliverProtected } from "./interrupt-protected";
import { deliverReal } from "./interrupt-real";
import { isLongMode, isProtected } from "./modes";
export { VECTOR_EXIT } from "./fault";

/** How an event came about: it decides the pushed RF, the check of the gate's DPL and the error codes' EXT bit. */
export const EVENT_FAULT: u32 = 0;
/** INT n, INT3, INTO. */
export const EVENT_SOFTWARE: u32 = 1;
/** From outside, a trap (#DB of a single step), ICEBP. */
export const EVENT_EXTERNAL: u32 = 2;

const FLAG_RF: u32 = 1 << 16;
const DR6: u32 = DR + 4 * 8;
const DR6_BS: u64 = 1 << 14;

/** How many events were delivered, of any kind: who steps looks whether one came. */
export let deliveries: u32 = 0;

/** Takes one event through the IDT, `rip` being pushed. False, with nothing changed, where that faults. */
export function deliver(vector: u32, kind: u32, hasCode: bool, code: u32, rip: u64): bool {
  const flags = readFlags() | (kind == EVENT_FAULT ? FLAG_RF : 0);
  const ext: u32 = kind == EVENT_SOFTWARE ? 0 : 1;
  const done = isLongMode()
    ? deliverLong(vector, kind == EVENT_SOFTWARE, ext, hasCode, code, rip, flags)
    : isProtected()
    ? deliverProtected(vector, kind == EVENT_SOFTWARE, ext, hasCode, code, rip, flags)
    : deliverReal(vector, rip, flags);
  if (done) {
    deliveries++;
    store<u32>(IRQ_SHADOW, 0);
  }
  return done;
}

/** #DE, #TS, #NP, #SS, #GP: two of these in a row make a double fault. */
function isContributory(vector: u32): bool {
  return vector == 0 || (vector >= 10 && vector <= 13);
}

/**
 * Takes an event, and the exceptions that its delivery raises. 0, or the reason that ends the run: EXIT_SHUTDOWN after a
 * triple fault, another where memory of the IDT, the TSS or the stack isn't there; then nothing has changed and the
 * event is still to be taken.
 */
function deliverAll(vector: u32, kind: u32, hasCode: bool, code: u32): u32 {
  if (kind == EVENT_FAULT) tell(vector, hasCode, code);
  while (!deliver(vector, kind, hasCode, code, load<u64>(RIP))) {
    const next = load<u32>(FAULT_VECTOR);
    if (next == VECTOR_EXIT) return load<u32>(EXIT_REASON);
    const isException = kind == EVENT_FAULT;
    const isBad = isContributory(next) || next == VECTOR_PF;
    if (isException && vector == VECTOR_DF && isBad) return EXIT_SHUTDOWN;
    const doubles = isException
      && ((isContributory(vector) && isContributory(next)) || (vector == VECTOR_PF && isBad));
    vector = doubles ? VECTOR_DF : next;
    hasCode = doubles || load<u32>(FAULT_HAS_CODE) != 0;
    code = doubles ? 0 : load<u32>(FAULT_CODE);
    kind = EVENT_FAULT;
    tell(vector, hasCode, code);
  }
  return 0;
}

function tell(vector: u32, hasCode: bool, code: u32): void {
  if (!load<u32>(TELL_EXCEPTIONS)) return;
  store<u32>(FAULT_VECTOR, vector);
  store<u32>(FAULT_HAS_CODE, hasCode ? 1 : 0);
  store<u32>(FAULT_CODE, code);
  exception();
}

/** Delivers FAULT_*: RIP is the faulting instruction's. 0, or the EXIT_* that ends the run. */
export function deliverFault(): u32 {
  return deliverAll(load<u32>(FAULT_VECTOR), EVENT_FAULT, load<u32>(FAULT_HAS_CODE) != 0, load<u32>(FAULT_CODE));
}

/** #DB behind a single-stepped instruction: RIP is the next one's. */
export function deliverStepTrap(): u32 {
  store<u64>(DR6, load<u64>(DR6) | DR6_BS);
  return deliverAll(VECTOR_DB, EVENT_EXTERNAL, false, 0);
}

/**
 * For the owner: an external interrupt at the instruction boundary where the processor stands. The owner has looked at IF and
 * IRQ_SHADOW. 0, or the EXIT_* as of `run`.
 */
export function deliverInterrupt(vector: u32): u32 {
  store<u64>(EVENTS, load<u64>(EVENTS) + 1);
  return deliverAll(vector, EVENT_EXTERNAL, false, 0);
}

/** For the owner: a non-maskable interrupt. NMI_BLOCKED holds until the next IRET. */
export function deliverNmi(): u32 {
  store<u64>(EVENTS, load<u64>(EVENTS) + 1);
  const refused = deliverAll(VECTOR_NMI, EVENT_EXTERNAL, false, 0);
  if (!refused) store<u32>(NMI_BLOCKED, 1);
  return refused;
}

/** For the owner: an exception as if the instruction at RIP had raised it. CR2 is the owner's to set. */
export function raise(vector: u32, hasCode: u32, code: u32): u32 {
  store<u64>(EVENTS, load<u64>(EVENTS) + 1);
  return deliverAll(vector, EVENT_FAULT, hasCode != 0, code);
}
