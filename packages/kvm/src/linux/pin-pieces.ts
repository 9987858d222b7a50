/** A part of a range, in one place of a ring. */
export interface PinPiece {
  readonly hva: number;
  readonly length: number;
}

/**
 * Cuts a range at addresses that are multiples of `step` (a multiple of 2 MiB): io_uring counts a huge page whole in
 * every buffer that has a part of it, so a cut inside one would count it twice.
 */
export function* cutRange(hva: number, length: number, step: number): Generator<PinPiece> {
  const end = hva + length;
  for (let at = hva; at < end; ) {
    const next = Math.min(end, (Math.floor(at / step) + 1) * step);
    yield { hva: at, length: next - at };
    at = next;
  }
}
