// Bits of SEG_RIGHTS: a descriptor's bits 55:40.

export const UNUSABLE: u32 = 1 << 16;
export const RIGHTS_ACCESSED: u32 = 1;
/** Of data: writable. Of code: readable. */
export const RIGHTS_RW: u32 = 2;
/** Of data: expands down. Of code: conforming. */
export const RIGHTS_CONFORMING: u32 = 4;
export const RIGHTS_CODE: u32 = 8;
/** Code or data, not a system segment. */
export const RIGHTS_S: u32 = 0x10;
export const RIGHTS_PRESENT: u32 = 0x80;
/** 64-bit code; 32-bit default (D of code, B of a stack). */
export const RIGHTS_L: u32 = 1 << 13;
export const RIGHTS_DB: u32 = 1 << 14;
