// Which mode the processor is in, from CR0, EFER, CS and SS: to be derived again whenever one of them changes.
import {
  CODE_BITS, CPL, CR0, CS, EFER, SEG_BASE, SEG_RIGHTS, SS, STACK_MASK,
} from "../src/layout";
import { RIGHTS_DB, RIGHTS_L } from "./rights";
import { selectTlb } from "./tlb";

export const CR0_PE: u64 = 1;
export const EFER_LMA: u64 = 1 << 10;

// @ts-ignore: decorator
@inline
export function isProtected(): bool {
  return (load<u64>(CR0) & CR0_PE) != 0;
}

// @ts-ignore: decorator
@inline
export function isLongMode(): bool {
  return (load<u64>(EFER) & EFER_LMA) != 0;
}

// @ts-ignore: decorator
@inline
export function is64BitCode(): bool {
  return load<u32>(CODE_BITS) == 64;
}

/** CODE_BITS, STACK_MASK and the TLB of the privilege. In 64-bit code CS has no base. */
export function updateMode(): void {
  const code = load<u32>(SEG_RIGHTS + CS * 4);
  if (isLongMode() && code & RIGHTS_L) {
    store<u32>(CODE_BITS, 64);
    store<u64>(STACK_MASK, -1);
    store<u64>(SEG_BASE + CS * 8, 0);
  } else {
    store<u32>(CODE_BITS, code & RIGHTS_DB ? 32 : 16);
    store<u64>(STACK_MASK, load<u32>(SEG_RIGHTS + SS * 4) & RIGHTS_DB ? 0xffffffff : 0xffff);
  }
  selectTlb();
}

export function setCpl(cpl: u32): void {
  store<u32>(CPL, cpl);
  selectTlb();
}
