import type { U64 } from '../port/u64.ts';
import { ENABLE_CAP } from '../uapi/vm-structs.ts';

/** struct kvm_enable_cap with at most four arguments. */
export function encodeEnableCap(cap: number, args: readonly U64[], flags: number): Uint8Array {
  if (args.length > 4) throw new RangeError(`KVM_ENABLE_CAP takes at most 4 arguments, not ${args.length}`);
  const struct = ENABLE_CAP.make().set('cap', cap).set('flags', flags);
  const view = new DataView(struct.bytes.buffer, ENABLE_CAP.fields.args.offset);
  for (const [index, arg] of args.entries()) view.setBigUint64(index * 8, BigInt.asUintN(64, BigInt(arg)), true);
  return struct.bytes;
}
