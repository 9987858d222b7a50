export { ByteReader } from './byte-reader.ts';
export { FIRMWARE_LIMIT, inspectFirmware, inspectFirmwareFile } from './firmware/inspect-firmware.ts';
export { FormatError, type FormatErrorKind } from './format-error.ts';
export type { Banner } from './kernel/banner.ts';
export { type BzImageSetup, readSetupHeader } from './kernel/bz-image.ts';
export type { Elf64, ElfSection, LoadSegment } from './kernel/elf.ts';
export { type AddressEncoding, decodeKallsyms, type SymbolAtAddress, type SymbolTable } from './kernel/kallsyms.ts';
export type { PayloadFormat } from './kernel/payload/unpack.ts';
export { readUki, type Uki, type UkiProfile } from './kernel/uki/uki.ts';
export {
  DEFAULT_IMAGE_LIMIT,
  type ExtractOptions,
  extractKernel,
  type KernelImage,
  type UnpackedKernel,
  unpackKernel,
} from './kernel/vmlinux.ts';
export { bootSetOf, sha256 } from './verdict/boot-set.ts';
export { toUnpinError } from './verdict/catalogue-error.ts';
export {
  DEFAULT_FILE_LIMIT,
  INSPECTOR,
  type InspectFigures,
  type Inspection,
  type InspectOptions,
  inspectKernel,
  inspectKernelFile,
} from './verdict/inspect-kernel.ts';
export { readRegularFile } from './verdict/read-file.ts';
