/**
 * A guest of a few real-mode instructions that shows what a KVM is good for. Bytes are at their own offsets in a page
 * that is loaded at TRIAL_BASE; CS and DS have base 0.
 */
export const TRIAL_BASE = 0x1000;
/** One page of code and one that is converted. */
export const TRIAL_RAM = 0x4000;

/** `inc eax; jmp $-2`: EAX counts turns of two instructions until the vCPU is kicked. */
export const COUNT_ENTRY = TRIAL_BASE;
export const INSTRUCTIONS_A_TURN = 2;

/** `hypercall; hlt`, once with each vendor's instruction. */
export const VMMCALL_ENTRY = TRIAL_BASE + 0x100;
export const VMCALL_ENTRY = TRIAL_BASE + 0x200;

const HLT = 0xf4;

export function trialCode(): Uint8Array {
  const page = new Uint8Array(0x1000);
  page.set([0x66, 0x40, 0xeb, 0xfc], COUNT_ENTRY - TRIAL_BASE);
  page.set([0x0f, 0x01, 0xd9, HLT], VMMCALL_ENTRY - TRIAL_BASE);
  page.set([0x0f, 0x01, 0xc1, HLT], VMCALL_ENTRY - TRIAL_BASE);
  return page;
}
