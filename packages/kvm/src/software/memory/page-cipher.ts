import { createCipheriv, createDecipheriv } from 'node:crypto';

const ALGORITHM = 'aes-128-xts';

/** The tweak of a data unit: its system-physical address, little-endian (IEEE 1619, 5.1). Reused, never kept. */
const tweak = new DataView(new ArrayBuffer(16));
const tweakBytes = new Uint8Array(tweak.buffer);

/**
 * Encrypts a page in place, as one data unit of AES-128-XTS. The address is the tweak: the same bytes elsewhere are
 * other ciphertext. (AMD's engine has its own tweak function per 16 bytes; both bind ciphertext to its place.)
 */
export function encryptPage(key: Uint8Array, address: number, page: Uint8Array): void {
  tweak.setUint32(0, address, true);
  page.set(createCipheriv(ALGORITHM, key, tweakBytes).update(page));
}

/** The inverse. A bijection: any bytes decrypt to some bytes, and nothing is lost on the way. */
export function decryptPage(key: Uint8Array, address: number, page: Uint8Array): void {
  tweak.setUint32(0, address, true);
  page.set(createDecipheriv(ALGORITHM, key, tweakBytes).update(page));
}
