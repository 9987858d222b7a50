import { type GuestMemory, PAGE_BYTES } from '@unpin/kvm';
import type { DoorbellRequest } from '../src/devices/doorbell/doorbell.ts';
import { EXCHANGE_PAGES_MAX, GUEST_SEED, HOST_SEED, PATTERN_STEP } from './layout.ts';

/** Answers to the probe: negative errnos, so that they can't be taken for a count. */
export const EXCHANGE_RESULT = {
  ok: 0,
  /** EIO: the host reads something else than the guest wrote. */
  mismatch: -5,
  /** EFAULT: the host must not use a page whose attribute is private. */
  private: -14,
  /** EINVAL: no such pages. */
  range: -22,
} as const;

/**
 * The host's side of an exchange: reads shared pages as a device would, compares them with the guest's pattern, and
 * writes its own.
 * @param reported whether this guest reports its conversions: then a page whose attribute is private isn't the host's
 * to use. A guest that doesn't report shares pages without the attribute.
 */
export function exchangePattern(memory: GuestMemory, request: DoorbellRequest, reported: boolean): number {
  const { gpa, count } = request;
  const range = { gpa, size: count * PAGE_BYTES };
  if (count < 1 || count > EXCHANGE_PAGES_MAX || !memory.covers(range)) return EXCHANGE_RESULT.range;
  if (reported)
    for (let page = 0; page < count; page += 1)
      if (memory.attributeOf(gpa + page * PAGE_BYTES) === 'private') return EXCHANGE_RESULT.private;
  const seen = memory.read(gpa, range.size, 'shared');
  if (Buffer.compare(seen, pattern(GUEST_SEED, range.size)) !== 0) return EXCHANGE_RESULT.mismatch;
  memory.write(gpa, pattern(HOST_SEED, range.size), 'shared');
  return EXCHANGE_RESULT.ok;
}

/** `size` bytes of 64-bit words, each PATTERN_STEP above the one before. */
export function pattern(seed: bigint, size: number): Uint8Array {
  const words = new BigUint64Array(size / 8);
  let word = seed;
  for (let index = 0; index < words.length; index += 1) {
    words[index] = word;
    word = BigInt.asUintN(64, word + PATTERN_STEP);
  }
  return new Uint8Array(words.buffer);
}
