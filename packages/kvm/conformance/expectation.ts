/** A promise that the KVM broke: what was expected, what came instead. */
export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise';
  readonly what: string;
  readonly expected: string;
  readonly found: string;

  constructor(what: string, expected: string, found: string) {
    super(`${what}: expected ${expected}, found ${found}`);
    this.what = what;
    this.expected = expected;
    this.found = found;
  }
}

/** Thrown by a check that finds, half way, that this KVM can't answer it. */
export class CannotAnswer extends Error {
  override readonly name = 'CannotAnswer';
  readonly need: string;
  readonly reason: string;

  constructor(need: string, reason: string) {
    super(`${need}: ${reason}`);
    this.need = need;
    this.reason = reason;
  }
}

/** The watchdog had to kick a guest out of KVM_RUN. */
export class GuestStuck extends Error {
  override readonly name = 'GuestStuck';

  constructor(milliseconds: number) {
    super(`the guest did not leave KVM_RUN within ${milliseconds} ms and was kicked out`);
  }
}
