/** ELF files begin with these, and so do PE files, which unified kernel images and bzImages with an EFI stub are. */
const MAGICS = [Uint8Array.of(0x7f, 0x45, 0x4c, 0x46), Uint8Array.of(0x4d, 0x5a)];

/** Whether a file that begins so is taken for a kernel. */
export function startsAsKernel(head: Uint8Array): boolean {
  return MAGICS.some((magic) => head.length >= magic.length && magic.every((byte, at) => head[at] === byte));
}
