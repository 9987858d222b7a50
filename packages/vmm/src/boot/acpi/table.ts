/** What every ACPI table begins with (ACPI 6.5, 5.2.6) and what makes it valid. */

export const TABLE_HEADER_BYTES = 36;
const LENGTH = 4;
const REVISION = 8;
const CHECKSUM = 9;
const OEM_ID = 10;
const OEM_TABLE_ID = 16;
const OEM_REVISION = 24;
const CREATOR_ID = 28;
const CREATOR_REVISION = 32;

/** Who made the tables; the kernel prints it. */
export const OEM = 'UNPIN ';

/**
 * A table around its body: header, length and checksum.
 * @param signature four characters
 * @param body all that follows the header
 */
export function acpiTable(signature: string, revision: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(TABLE_HEADER_BYTES + body.length);
  const view = new DataView(bytes.buffer);
  putText(bytes, 0, signature);
  view.setUint32(LENGTH, bytes.length, true);
  bytes[REVISION] = revision;
  putText(bytes, OEM_ID, OEM);
  putText(bytes, OEM_TABLE_ID, 'UNPINVMM');
  view.setUint32(OEM_REVISION, 1, true);
  putText(bytes, CREATOR_ID, 'UNPN');
  view.setUint32(CREATOR_REVISION, 1, true);
  bytes.set(body, TABLE_HEADER_BYTES);
  bytes[CHECKSUM] = checksum(bytes);
  return bytes;
}

/** The byte that makes the sum of all zero, modulo 256; its own place must hold zero. */
export function checksum(bytes: Uint8Array): number {
  return -bytes.reduce((sum, byte) => sum + byte, 0) & 0xff;
}

export function putText(bytes: Uint8Array, offset: number, text: string): void {
  bytes.set(new TextEncoder().encode(text), offset);
}
