import { createCipheriv, randomBytes } from 'node:crypto';

/** Random bytes for keys, nonces and processors. */
export type Randomness = (length: number) => Uint8Array;

/** The operating system's. */
export const systemRandomness: Randomness = (length) => randomBytes(length);

/**
 * The same bytes for the same seed (32 bits), in the order in which they are asked for: AES-128-CTR's key stream, from
 * byte `from` on.
 */
export function seededRandomness(seed: number, from = 0): Randomness {
  const key = new Uint8Array(16);
  new DataView(key.buffer).setUint32(0, seed, true);
  const stream = createCipheriv('aes-128-ctr', key, new Uint8Array(16));
  stream.update(new Uint8Array(from));
  return (length) => stream.update(new Uint8Array(length));
}

/** 64 random bits, not 0. */
export function randomSeed(randomness: Randomness): bigint {
  const bytes = randomness(8);
  const value = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  return value === 0n ? 1n : value;
}
