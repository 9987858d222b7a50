import type { ByteReader } from '../byte-reader.ts';
import { FormatError } from '../format-error.ts';

/** Offsets of the setup header in a bzImage, which are also its offsets in boot_params (Documentation/arch/x86/boot.rst). */
const HEADER = {
  setupSects: 0x1f1,
  bootFlag: 0x1fe,
  jumpLength: 0x201,
  magic: 0x202,
  protocol: 0x206,
  kernelVersion: 0x20e,
  loadFlags: 0x211,
  kernelAlignment: 0x230,
  xLoadFlags: 0x236,
  commandLineSize: 0x238,
  payloadOffset: 0x248,
  payloadLength: 0x24c,
  prefAddress: 0x258,
  initSize: 0x260,
} as const;

const MAGIC_HDRS = 0x53726448;
const BOOT_FLAG = 0xaa55;
const SECTOR = 512;
/** payload_offset and payload_length came with 2.08, pref_address and init_size with 2.10. */
const PROTOCOL_PAYLOAD = 0x0208;
const PROTOCOL_INIT_SIZE = 0x020a;
const LOADED_HIGH = 1;

/** The x86 boot protocol's setup header of a bzImage. */
export interface BzImageSetup {
  /** Boot protocol version, major in the high byte: 0x020f is 2.15. */
  readonly protocol: number;
  /** The header's bytes from 0x1f1 to its end, to be copied to offset 0x1f1 of boot_params. */
  readonly header: Uint8Array;
  /** The release as the header states it, before anything is unpacked; a claim, not evidence. */
  readonly claimedVersion: string | undefined;
  readonly xLoadFlags: number;
  /** Bytes; a power of two. */
  readonly kernelAlignment: number;
  /** Longest command line, in bytes without its NUL. */
  readonly commandLineSize: number;
  /** Physical address that the kernel prefers to be unpacked at; undefined before protocol 2.10. */
  readonly prefAddress: number | undefined;
  /** Contiguous bytes that the kernel needs from where it runs; undefined before protocol 2.10. */
  readonly initSize: number | undefined;
  /** Where the protected-mode code begins in the file: what a boot loader loads. */
  readonly codeOffset: number;
  /** Where the compressed payload lies in the file; its last four bytes are its unpacked size. */
  readonly payloadOffset: number;
  readonly payloadLength: number;
}

/** Whether the file carries the `HdrS` magic. memtest86+ and ipxe.lkrn do as well. */
export function hasSetupHeader(file: ByteReader): boolean {
  return (
    file.has(HEADER.magic, 4) &&
    file.u32(HEADER.magic, 'HdrS magic') === MAGIC_HDRS &&
    file.u16(HEADER.bootFlag, 'boot flag') === BOOT_FLAG
  );
}

/**
 * Reads the setup header and finds the payload.
 * @throws FormatError `not-a-kernel` without HdrS or without a payload, `unsupported` for protocols before 2.08
 * and for zImages, `truncated` or `malformed` where a length is wrong.
 */
export function readSetupHeader(file: ByteReader): BzImageSetup {
  if (!hasSetupHeader(file))
    throw new FormatError('not-a-kernel', 'setup header', HEADER.magic, 'no HdrS magic and boot flag');
  const protocol = file.u16(HEADER.protocol, 'boot protocol version');
  if (protocol < PROTOCOL_PAYLOAD)
    throw new FormatError(
      'unsupported',
      'boot protocol version',
      HEADER.protocol,
      `${protocolName(protocol)}; 2.08 is the first that says where the payload is`,
    );
  if ((file.u8(HEADER.loadFlags, 'loadflags') & LOADED_HIGH) === 0)
    throw new FormatError('unsupported', 'loadflags', HEADER.loadFlags, 'a zImage, loaded low');

  const protectedMode = ((file.u8(HEADER.setupSects, 'setup_sects') || 4) + 1) * SECTOR;
  const payloadLength = file.u32(HEADER.payloadLength, 'payload_length');
  const payloadOffset = protectedMode + file.u32(HEADER.payloadOffset, 'payload_offset');
  if (payloadLength === 0)
    throw new FormatError('not-a-kernel', 'payload_length', HEADER.payloadLength, 'HdrS, but no payload');
  if (!file.has(payloadOffset, payloadLength))
    throw new FormatError(
      'truncated',
      'payload',
      payloadOffset,
      `${payloadLength} bytes announced, the file has ${Math.max(0, file.length - payloadOffset)} from there`,
    );

  const headerEnd = HEADER.magic + file.u8(HEADER.jumpLength, 'header length');
  const hasInitSize = protocol >= PROTOCOL_INIT_SIZE;
  return {
    protocol,
    header: file.slice(HEADER.setupSects, headerEnd - HEADER.setupSects, 'setup header'),
    claimedVersion: readVersion(file),
    xLoadFlags: file.u16(HEADER.xLoadFlags, 'xloadflags'),
    kernelAlignment: file.u32(HEADER.kernelAlignment, 'kernel_alignment'),
    commandLineSize: file.u32(HEADER.commandLineSize, 'cmdline_size'),
    prefAddress: hasInitSize ? file.size64(HEADER.prefAddress, 'pref_address') : undefined,
    initSize: hasInitSize ? file.u32(HEADER.initSize, 'init_size') : undefined,
    codeOffset: protectedMode,
    payloadOffset,
    payloadLength,
  };
}

/** The pointer is relative to 0x200; 0 says that there is none. */
function readVersion(file: ByteReader): string | undefined {
  const pointer = file.u16(HEADER.kernelVersion, 'kernel_version');
  if (pointer === 0 || !file.has(pointer + 0x200, 1)) return undefined;
  return file.cString(pointer + 0x200, 256, 'kernel_version string');
}

function protocolName(protocol: number): string {
  return `${protocol >> 8}.${String(protocol & 0xff).padStart(2, '0')}`;
}
