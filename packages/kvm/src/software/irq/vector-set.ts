/**
 * 256 vectors as a local APIC keeps them (Intel SDM vol. 3, 12.8.4 "Interrupt Acceptance for Fixed Interrupts"): eight
 * registers of 32 bits, 16 bytes apart. `page` is the APIC's register page as 32-bit words, `base` the first
 * register's byte offset.
 */
const at = (base: number, vector: number): number => (base >>> 2) + ((vector >>> 5) << 2);
const bit = (vector: number): number => 1 << (vector & 31);

export function hasVector(page: Uint32Array, base: number, vector: number): boolean {
  return ((page[at(base, vector)] ?? 0) & bit(vector)) !== 0;
}

export function addVector(page: Uint32Array, base: number, vector: number): void {
  const index = at(base, vector);
  page[index] = (page[index] ?? 0) | bit(vector);
}

export function dropVector(page: Uint32Array, base: number, vector: number): void {
  const index = at(base, vector);
  page[index] = (page[index] ?? 0) & ~bit(vector);
}

/** The highest vector, or -1. */
export function highestVector(page: Uint32Array, base: number): number {
  for (let register = 7; register >= 0; register -= 1) {
    const word = page[(base >>> 2) + (register << 2)] ?? 0;
    if (word !== 0) return (register << 5) + 31 - Math.clz32(word);
  }
  return -1;
}
