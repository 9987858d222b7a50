/** The Castagnoli polynomial, bits reversed: what metadata of XFS and of ext4 is checked with. */
const POLYNOMIAL = 0x82f63b78;

const TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ POLYNOMIAL;
  return value;
});

/**
 * Goes on with a CRC32C: `state` is what the last call returned, 0xffffffff before the first; not yet inverted, as ext4
 * leaves it.
 */
export function updateCrc32c(state: number, bytes: Uint8Array): number {
  let crc = state;
  for (let index = 0; index < bytes.length; index++)
    crc = (TABLE[(crc ^ (bytes[index] as number)) & 0xff] as number) ^ (crc >>> 8);
  return crc >>> 0;
}

/** The same with a number's four bytes, the least first. */
export function updateCrc32cBy32(state: number, value: number): number {
  return updateCrc32c(state, Uint8Array.of(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24));
}

const FIELD = new Uint8Array(4);

/** CRC32C of a structure that holds its own checksum at `field`, whose four bytes count as zero. */
export function crc32cAround(bytes: Uint8Array, field: number): number {
  let state = updateCrc32c(0xffffffff, bytes.subarray(0, field));
  state = updateCrc32c(state, FIELD);
  return ~updateCrc32c(state, bytes.subarray(field + 4)) >>> 0;
}
