import { ERRNO, failure } from '../../sys/errno.ts';
import { VCPU_EVENTS } from '../../uapi/vcpu-structs.ts';

/** Offsets in struct kvm_vcpu_events (asm/kvm.h). */
const AT = {
  exceptionInjected: 0,
  exceptionVector: 1,
  exceptionHasCode: 2,
  exceptionPending: 3,
  exceptionCode: 4,
  interruptInjected: 8,
  interruptVector: 9,
  interruptSoft: 10,
  interruptShadow: 11,
  nmiInjected: 12,
  nmiPending: 13,
  nmiMasked: 14,
  sipiVector: 16,
  flags: 20,
  smm: 24,
  smiPending: 25,
} as const;

/** KVM_VCPUEVENT_VALID_*: which parts user space means. */
const VALID = { nmiPending: 1, sipiVector: 2, shadow: 4, smm: 8 } as const;
const KNOWN = VALID.nmiPending | VALID.sipiVector | VALID.shadow | VALID.smm;
/** KVM_X86_SHADOW_INT_MOV_SS and _STI: the engine doesn't tell which of them it is. */
const SHADOW = 3;
const SHADOW_STI = 2;

/** An exception that is to be delivered before the next instruction. */
export interface QueuedException {
  readonly vector: number;
  readonly hasCode: boolean;
  readonly code: number;
}

/** What waits for a vCPU besides its local APIC. */
export interface VcpuEvents {
  exception: QueuedException | null;
  /** A vector of KVM_INTERRUPT, or -1. */
  interrupt: number;
  hasShadow: boolean;
  nmiPending: boolean;
  nmiMasked: boolean;
  sipiVector: number;
}

const refuse = (why: string) => failure('KVM_SET_VCPU_EVENTS', ERRNO.EINVAL, why);

/** KVM_GET_VCPU_EVENTS. */
export function encodeEvents(events: VcpuEvents): Uint8Array {
  const bytes = new Uint8Array(VCPU_EVENTS.size);
  const view = new DataView(bytes.buffer);
  const { exception, interrupt } = events;
  if (exception !== null) {
    bytes[AT.exceptionInjected] = 1;
    bytes[AT.exceptionVector] = exception.vector;
    bytes[AT.exceptionHasCode] = exception.hasCode ? 1 : 0;
    view.setUint32(AT.exceptionCode, exception.code, true);
  }
  if (interrupt >= 0) {
    bytes[AT.interruptInjected] = 1;
    bytes[AT.interruptVector] = interrupt;
  }
  bytes[AT.interruptShadow] = events.hasShadow ? SHADOW_STI : 0;
  bytes[AT.nmiPending] = events.nmiPending ? 1 : 0;
  bytes[AT.nmiMasked] = events.nmiMasked ? 1 : 0;
  view.setUint32(AT.sipiVector, events.sipiVector, true);
  view.setUint32(AT.flags, VALID.nmiPending | VALID.shadow, true);
  return bytes;
}

/**
 * KVM_SET_VCPU_EVENTS: what comes of `now`. KvmError EINVAL: a flag that isn't defined or needs a capability, a vector
 * that is no exception's, system management mode. RangeError for another size.
 */
export function decodeEvents(bytes: Uint8Array, now: VcpuEvents): VcpuEvents {
  if (bytes.length !== VCPU_EVENTS.size)
    throw new RangeError(`KVM_SET_VCPU_EVENTS takes ${VCPU_EVENTS.size} bytes, not ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const at = (offset: number): number => view.getUint8(offset);
  const flags = view.getUint32(AT.flags, true);
  if ((flags & ~KNOWN) !== 0) throw refuse(`flags ${flags.toString(16)}`);
  const has = (part: keyof typeof VALID): boolean => (flags & VALID[part]) !== 0;
  // Without KVM_CAP_EXCEPTION_PAYLOAD an exception that is pending counts as injected.
  const hasException = at(AT.exceptionInjected) !== 0 || at(AT.exceptionPending) !== 0;
  const vector = at(AT.exceptionVector);
  if (hasException && (vector > 31 || vector === 2)) throw refuse(`exception ${vector}`);
  if (has('smm') && (at(AT.smm) !== 0 || at(AT.smiPending) !== 0)) throw refuse('there is no SMM');
  const exception = {
    vector,
    hasCode: at(AT.exceptionHasCode) !== 0,
    code: view.getUint32(AT.exceptionCode, true),
  };
  return {
    exception: hasException ? exception : null,
    interrupt: at(AT.interruptInjected) !== 0 ? at(AT.interruptVector) : -1,
    hasShadow: has('shadow') ? (at(AT.interruptShadow) & SHADOW) !== 0 : now.hasShadow,
    nmiPending: (has('nmiPending') ? at(AT.nmiPending) !== 0 : now.nmiPending) || at(AT.nmiInjected) !== 0,
    nmiMasked: at(AT.nmiMasked) !== 0,
    sipiVector: has('sipiVector') ? view.getUint32(AT.sipiVector, true) : now.sipiVector,
  };
}
