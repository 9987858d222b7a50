/** ASIDs of encrypted guests, as CPUID 0x8000001F tells them: EDX the first for guests without SEV-ES, ECX the last. */
export const FIRST_SEV_ASID = 1;
export const LAST_SEV_ASID = 509;

/** The ASIDs of one host: each encrypted VM has one for its life. */
export class Asids {
  readonly #used = new Set<number>();

  /** The lowest free one, or 0 where all are taken. */
  take(): number {
    for (let asid = FIRST_SEV_ASID; asid <= LAST_SEV_ASID; asid++)
      if (!this.#used.has(asid)) {
        this.#used.add(asid);
        return asid;
      }
    return 0;
  }

  /** Takes the one that a saved VM had. False where another has it. */
  claim(asid: number): boolean {
    if (this.#used.has(asid)) return false;
    this.#used.add(asid);
    return true;
  }

  release(asid: number): void {
    this.#used.delete(asid);
  }
}
