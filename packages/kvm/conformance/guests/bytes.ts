/** One instruction, or several, as bytes. */
export type Code = readonly number[];

/** Little-endian bytes of an unsigned value. */
export function littleEndian(value: number | bigint, size: 1 | 2 | 4 | 8): Code {
  let rest = BigInt.asUintN(size * 8, BigInt(value));
  return Array.from({ length: size }, () => {
    const byte = Number(rest & 0xffn);
    rest >>= 8n;
    return byte;
  });
}

/** Instructions one after another. */
export function program(...parts: readonly Code[]): Uint8Array {
  return Uint8Array.from(parts.flat());
}

/** Reads an unsigned value of up to 8 bytes, little-endian. */
export function valueOf(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes.toReversed()) value = (value << 8n) | BigInt(byte);
  return value;
}
