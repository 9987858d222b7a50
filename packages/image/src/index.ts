export type { BootChoice, BootEntry, BootFile, LoaderKind } from './boot-set/boot-choice.ts';
export { type ChooseBootOptions, chooseBoot } from './boot-set/choose-boot.ts';
/** Layers of a disk, each by itself. */
export { type BackingResolver, namedBacking, refuseBacking } from './disk/backing.ts';
export type { Disk, OpenDiskOptions } from './disk/disk.ts';
export { openDisk } from './disk/open-disk.ts';
export { type GivenFolder, openDiskFolder } from './disk/open-disk-folder.ts';
export { openDiskPath } from './disk/open-disk-path.ts';
export type { DirectoryEntry, FileKind, FileNode, Filesystem } from './filesystem/filesystem.ts';
export { openFilesystem } from './filesystem/open-filesystem.ts';
export { locate, walk } from './filesystem/path.ts';
export type { Volume } from './filesystem/volume.ts';
export { FIRMWARE_LIMIT, inspectFirmware, inspectFirmwareFile } from './firmware/inspect-firmware.ts';
/** All of it: from a source to a verdict. */
export { type InspectedImage, type InspectImageOptions, inspectImage } from './inspect/inspect-image.ts';
export { inspectionError } from './inspect/inspection-error.ts';
export * from './kernel/index.ts';
export { readUki, type Uki, type UkiProfile } from './kernel/uki/uki.ts';
export type { Partition, PartitionTable } from './partition/partition-table.ts';
export { readPartitionTable } from './partition/read-partition-table.ts';
/** Sources of bytes: what an image is read from. */
export { Budget } from './source/budget.ts';
export type { ByteSource } from './source/byte-source.ts';
export { type CacheOptions, cachedSource } from './source/cached-source.ts';
export { type FileSource, openFileSource } from './source/file-source.ts';
export { type HttpOptions, type HttpSource, openHttpSource } from './source/http-source.ts';
export { memorySource } from './source/memory-source.ts';
export { windowOf } from './source/window.ts';
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
