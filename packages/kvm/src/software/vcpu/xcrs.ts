import { ERRNO, failure } from '../../sys/errno.ts';
import { XCRS } from '../../uapi/vcpu-structs.ts';

/** struct kvm_xcrs: how many, flags, then registers of number, reserved and value (asm/kvm.h). */
const AT = { count: 0, flags: 4, number: 8, value: 16 } as const;
/** Bytes of one register. */
const ENTRY = 16;
/** KVM_MAX_XCRS. */
const MAX = 16;
/** x87 state, which can't be switched off. The processor has no XSAVE, so there is nothing else to switch on. */
const XCR0 = 1n;

/** KVM_GET_XCRS. */
export function encodeXcrs(): Uint8Array {
  const xcrs = XCRS.make();
  xcrs.view.setUint32(AT.count, 1, true);
  xcrs.view.setBigUint64(AT.value, XCR0, true);
  return xcrs.bytes;
}

/** KVM_SET_XCRS. KvmError EINVAL: flags, too many, or anything but x87 state in XCR0. RangeError for another size. */
export function checkXcrs(bytes: Uint8Array): void {
  if (bytes.length !== XCRS.size) throw new RangeError(`KVM_SET_XCRS takes ${XCRS.size} bytes, not ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = view.getUint32(AT.count, true);
  if (count > MAX || view.getUint32(AT.flags, true) !== 0) throw failure('KVM_SET_XCRS', ERRNO.EINVAL);
  for (let at = 0; at < count; at++) {
    const entry = AT.number + at * ENTRY;
    const isXcr0 = view.getUint32(entry, true) === 0;
    if (isXcr0 && view.getBigUint64(entry + 8, true) !== XCR0) throw failure('KVM_SET_XCRS', ERRNO.EINVAL, 'XCR0');
  }
}
