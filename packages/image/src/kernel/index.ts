/** Kernel files alone, for who boots them: without what reads disks. */
export { ByteReader } from '../byte-reader.ts';
export { FormatError, type FormatErrorKind } from '../format-error.ts';
export type { Banner } from './banner.ts';
export { type BzImageSetup, readSetupHeader } from './bz-image.ts';
export type { Elf64, ElfSection, LoadSegment } from './elf.ts';
export { type AddressEncoding, decodeKallsyms, type SymbolAtAddress, type SymbolTable } from './kallsyms.ts';
export type { PayloadFormat } from './payload/unpack.ts';
export {
  DEFAULT_IMAGE_LIMIT,
  type ExtractOptions,
  extractKernel,
  type KernelImage,
  type UnpackedKernel,
  unpackKernel,
} from './vmlinux.ts';
