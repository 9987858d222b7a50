import type { MsrEntry } from '@unpin/kvm';

/**
 * MSRs that firmware would have set before a kernel runs (AMD64 APM 2, 7.7; Intel SDM 4).
 * MTRR default type: MTRRs and fixed ranges enabled, write-back. Without it 5.10 takes all memory for uncached and
 * stops at a BUG in its SEV code.
 */
export const START_MSRS: readonly MsrEntry[] = [
  { index: 0x2ff, value: 0xc06n },
  // IA32_MISC_ENABLE: fast strings.
  { index: 0x1a0, value: 1n },
];

/** Offsets in struct kvm_lapic_state, which are the APIC's own register offsets. */
const LVT_LINT0 = 0x350;
const LVT_LINT1 = 0x360;
/** Delivery modes in bits 10:8, mask in bit 16. */
const DELIVERY_EXTINT = 0x700;
const DELIVERY_NMI = 0x400;
const DELIVERY_AND_MASK = 0x1_0700;

/** The PC's virtual wire mode: LINT0 takes the 8259's interrupts, LINT1 is NMI. Changes a copy. */
export function withVirtualWire(lapic: Uint8Array): Uint8Array {
  const copy = lapic.slice();
  const view = new DataView(copy.buffer);
  for (const [offset, mode] of [
    [LVT_LINT0, DELIVERY_EXTINT],
    [LVT_LINT1, DELIVERY_NMI],
  ] as const)
    view.setUint32(offset, (view.getUint32(offset, true) & ~DELIVERY_AND_MASK) | mode, true);
  return copy;
}

/** struct kvm_fpu: control words behind 8 × 16 bytes of registers, MXCSR behind 16 × 16 more. */
const FPU_BYTES = 416;
const FCW = 128;
const MXCSR = 408;

/** The FPU after FNINIT and with MXCSR's reset value. */
export function startFpu(): Uint8Array {
  const bytes = new Uint8Array(FPU_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(FCW, 0x37f, true);
  view.setUint32(MXCSR, 0x1f80, true);
  return bytes;
}
