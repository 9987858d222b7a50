import { layout } from '@unpin/x86';
import { FPU } from '../../uapi/vcpu-structs.ts';

/** struct kvm_fpu (asm/kvm.h): registers by their place on the stack, as FXSAVE has them. */
const AT = { st: 0, control: 128, status: 130, tag: 132, opcode: 134, ip: 136, dp: 144, xmm: 152, mxcsr: 408 } as const;
const ST_BYTES = 16;

/** The FPU of the vCPU on the core, as KVM_GET_FPU gives it. */
export function saveFpu(buffer: SharedArrayBuffer): Uint8Array {
  const state = new DataView(buffer);
  const bytes = new Uint8Array(FPU.size);
  const view = new DataView(bytes.buffer);
  const top = topOf(state.getUint16(layout.FPU_STATUS, true));
  for (let at = 0; at < 8; at++) bytes.set(new Uint8Array(buffer, physical(top, at), ST_BYTES), AT.st + at * ST_BYTES);
  view.setUint16(AT.control, state.getUint16(layout.FPU_CONTROL, true), true);
  view.setUint16(AT.status, state.getUint16(layout.FPU_STATUS, true), true);
  view.setUint8(AT.tag, state.getUint8(layout.FPU_TAG));
  view.setUint16(AT.opcode, state.getUint16(layout.FPU_OPCODE, true), true);
  view.setBigUint64(AT.ip, state.getBigUint64(layout.FPU_IP, true), true);
  view.setBigUint64(AT.dp, state.getBigUint64(layout.FPU_DP, true), true);
  bytes.set(new Uint8Array(buffer, layout.XMM, 256), AT.xmm);
  view.setUint32(AT.mxcsr, state.getUint32(layout.MXCSR, true), true);
  return bytes;
}

/** KVM_SET_FPU. RangeError for another size. */
export function restoreFpu(buffer: SharedArrayBuffer, bytes: Uint8Array): void {
  if (bytes.length !== FPU.size) throw new RangeError(`KVM_SET_FPU takes ${FPU.size} bytes, not ${bytes.length}`);
  const state = new DataView(buffer);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const all = new Uint8Array(buffer);
  const top = topOf(view.getUint16(AT.status, true));
  for (let at = 0; at < 8; at++)
    all.set(bytes.subarray(AT.st + at * ST_BYTES, AT.st + (at + 1) * ST_BYTES), physical(top, at));
  state.setUint16(layout.FPU_CONTROL, view.getUint16(AT.control, true), true);
  state.setUint16(layout.FPU_STATUS, view.getUint16(AT.status, true), true);
  state.setUint16(layout.FPU_TAG, view.getUint8(AT.tag), true);
  state.setUint16(layout.FPU_OPCODE, view.getUint16(AT.opcode, true), true);
  state.setBigUint64(layout.FPU_IP, view.getBigUint64(AT.ip, true), true);
  state.setBigUint64(layout.FPU_DP, view.getBigUint64(AT.dp, true), true);
  all.set(bytes.subarray(AT.xmm, AT.xmm + 256), layout.XMM);
  state.setUint32(layout.MXCSR, view.getUint32(AT.mxcsr, true), true);
}

/** Bits 13:11 of the status word: which physical register is ST0. */
function topOf(status: number): number {
  return (status >>> 11) & 7;
}

function physical(top: number, place: number): number {
  return layout.FPU_REGS + ((top + place) & 7) * ST_BYTES;
}
