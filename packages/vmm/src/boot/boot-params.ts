import { PAGE_BYTES } from '@unpin/kvm';
import { BootError } from './boot-error.ts';
import type { E820Entry } from './e820.ts';

/**
 * Offsets in struct boot_params (Documentation/arch/x86/zero-page.rst; from 0x1f1 on the setup header of boot.rst).
 * Each field's width is in its comment.
 */
export const FIELD = {
  /** u64: where the RSDP is; 0 makes the kernel search for one. */
  acpiRsdpAddress: 0x070,
  /** u32 each: bits 63:32 of ramdisk_image, ramdisk_size and cmd_line_ptr. */
  extRamdiskImage: 0x0c0,
  extRamdiskSize: 0x0c4,
  extCommandLine: 0x0c8,
  /** u8 */
  e820Entries: 0x1e8,
  /** u8: non-zero tells the kernel that the loader didn't clear the page. */
  sentinel: 0x1ef,
  /** The setup header begins. */
  setupHeader: 0x1f1,
  /** u16: 0xaa55. */
  bootFlag: 0x1fe,
  /** u8: the header's length is 0x202 plus this. */
  jumpLength: 0x201,
  /** u32: "HdrS". */
  magic: 0x202,
  /** u16: protocol version. */
  protocol: 0x206,
  /** u8: 0xff is a loader without an assigned id. */
  typeOfLoader: 0x210,
  /** u8 */
  loadFlags: 0x211,
  /** u32 each. */
  ramdiskImage: 0x218,
  ramdiskSize: 0x21c,
  commandLine: 0x228,
  /** u16: XLF_* (boot.rst, xloadflags). */
  xLoadFlags: 0x236,
  /** u32: longest command line without its NUL. */
  commandLineSize: 0x238,
  /** u64: linked list of setup_data, 0 for none. */
  setupData: 0x250,
  /** 20 bytes each: u64 address, u64 size, u32 type. */
  e820Table: 0x2d0,
} as const;

/** The table in boot_params has room for this many; more would need setup_data. */
export const E820_ENTRIES_MAX = 128;
const E820_ENTRY_BYTES = 20;

const MAGIC_HDRS = 0x5372_6448;
const BOOT_FLAG = 0xaa55;
const LOADER_UNDEFINED = 0xff;
/** loadflags: the protected-mode code is loaded high. The other bits concern the parts of a bzImage that aren't run. */
const LOADED_HIGH = 0x01;
/** A vmlinux without a bzImage around it brings no header: the newest protocol whose fields are set here. */
const PROTOCOL_2_15 = 0x020f;
const HEADER_END_2_15 = 0x26c;
/** COMMAND_LINE_SIZE of x86 Linux is 2048 with its NUL. */
const DEFAULT_COMMAND_LINE_SIZE = 2047;

/** What goes into boot_params beside the setup header. */
export interface BootParamsContent {
  /** Bytes of a bzImage from 0x1f1 to the end of its setup header; null for a bare vmlinux. */
  readonly setupHeader: Uint8Array | null;
  readonly commandLineGpa: number;
  readonly initrd: { readonly gpa: number; readonly size: number } | null;
  readonly e820: readonly E820Entry[];
  /** Where the RSDP is, or null without ACPI. */
  readonly rsdpGpa: number | null;
}

/** The zero page: 4096 bytes. The header has passed checkSetupHeader. */
export function bootParams(content: BootParamsContent): Uint8Array {
  const page = new Uint8Array(PAGE_BYTES);
  const view = new DataView(page.buffer);
  if (content.setupHeader === null) writeDefaultHeader(view);
  else page.set(content.setupHeader, FIELD.setupHeader);

  view.setUint8(FIELD.sentinel, 0);
  view.setUint8(FIELD.typeOfLoader, LOADER_UNDEFINED);
  view.setUint8(FIELD.loadFlags, LOADED_HIGH);
  view.setBigUint64(FIELD.setupData, 0n, true);
  split(view, FIELD.commandLine, FIELD.extCommandLine, content.commandLineGpa);
  split(view, FIELD.ramdiskImage, FIELD.extRamdiskImage, content.initrd?.gpa ?? 0);
  split(view, FIELD.ramdiskSize, FIELD.extRamdiskSize, content.initrd?.size ?? 0);
  view.setBigUint64(FIELD.acpiRsdpAddress, BigInt(content.rsdpGpa ?? 0), true);
  writeE820(view, content.e820);
  return page;
}

/** The longest command line that the header allows, in bytes without the NUL. */
export function commandLineLimit(setupHeader: Uint8Array | null): number {
  return headerU32(setupHeader, FIELD.commandLineSize) ?? DEFAULT_COMMAND_LINE_SIZE;
}

/** A field of the setup header, or undefined where the header ends before it. */
export function headerU32(setupHeader: Uint8Array | null, field: number): number | undefined {
  if (setupHeader === null) return undefined;
  const offset = field - FIELD.setupHeader;
  if (offset + 4 > setupHeader.length) return undefined;
  return new DataView(setupHeader.buffer, setupHeader.byteOffset, setupHeader.length).getUint32(offset, true);
}

/** @throws BootError `bad-setup-header` unless it has its magic and fits into boot_params */
export function checkSetupHeader(header: Uint8Array): void {
  const room = FIELD.e820Table - FIELD.setupHeader;
  if (header.length > room || headerU32(header, FIELD.magic) !== MAGIC_HDRS)
    throw new BootError(
      'bad-setup-header',
      `a setup header of ${header.length} bytes`,
      `at most ${room} bytes with the magic HdrS at 0x202 are needed`,
    );
}

function writeDefaultHeader(view: DataView): void {
  view.setUint16(FIELD.bootFlag, BOOT_FLAG, true);
  view.setUint8(FIELD.jumpLength, HEADER_END_2_15 - FIELD.magic);
  view.setUint32(FIELD.magic, MAGIC_HDRS, true);
  view.setUint16(FIELD.protocol, PROTOCOL_2_15, true);
  view.setUint32(FIELD.commandLineSize, DEFAULT_COMMAND_LINE_SIZE, true);
}

function writeE820(view: DataView, entries: readonly E820Entry[]): void {
  if (entries.length > E820_ENTRIES_MAX)
    throw new BootError('memory-size', `${entries.length} ranges of memory`, `at most ${E820_ENTRIES_MAX} can be told`);
  view.setUint8(FIELD.e820Entries, entries.length);
  for (const [index, entry] of entries.entries()) {
    const at = FIELD.e820Table + index * E820_ENTRY_BYTES;
    view.setBigUint64(at, BigInt(entry.gpa), true);
    view.setBigUint64(at + 8, BigInt(entry.size), true);
    view.setUint32(at + 16, entry.type, true);
  }
}

/** A 64-bit value in two 32-bit fields that lie apart. */
function split(view: DataView, lowField: number, highField: number, value: number): void {
  view.setUint32(lowField, value % 2 ** 32, true);
  view.setUint32(highField, Math.floor(value / 2 ** 32), true);
}
