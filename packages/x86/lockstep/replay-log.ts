/**
 * The log of QEMU's record and replay (QEMU 7.2, docs/devel/replay.rst: version 0xe0200c): what came from outside, and after
 * how many instructions. Read for one thing: where interrupts were taken.
 */
const VERSION = 0x00e0_200c;
const HEADER = 12;

/** Events by their number, with the bytes of what follows each; big-endian. Ranges include their last. */
const INSTRUCTIONS = 0;
const INTERRUPT = 1;
const END = 39;

export interface ReplayLog {
  /** Instruction counts at which an interrupt was delivered, ascending. */
  readonly interrupts: readonly number[];
  /** Instruction count at the end of the log. */
  readonly end: number;
}

/** Throws RangeError for a log of another version, one that is cut off, or an event that no lockstep has (input, network). */
export function parseReplayLog(log: Buffer): ReplayLog {
  if (log.length < HEADER || log.readUInt32BE(0) !== VERSION)
    throw new RangeError(`replay log: not of QEMU 7.2 (${log.subarray(0, 4).toString('hex')})`);
  const interrupts: number[] = [];
  let count = 0;
  for (let at = HEADER; at < log.length; ) {
    const event = log[at] ?? END;
    at++;
    if (event === END) return { interrupts, end: count };
    if (event === INSTRUCTIONS) count += log.readUInt32BE(at);
    else if (event === INTERRUPT) interrupts.push(count);
    at += payload(event, log, at);
  }
  throw new RangeError('replay log: cut off');
}

function payload(event: number, log: Buffer, at: number): number {
  switch (event) {
    case INSTRUCTIONS:
      return 4;
    case 3: // bottom half
    case 4: // bottom half, once
    case 8: // block device
      return 8;
    case 7: // characters read: device, length, bytes
      return 5 + log.readUInt32BE(at + 1);
    case 22: // characters written: result, offset
      return 8;
    case 23: // all characters read
      return 4 + log.readUInt32BE(at);
    case 24: // the same, failed
    case 25: // sound
      return 4;
    case 27: // random numbers: result, length, bytes
      return 8 + log.readUInt32BE(at + 4);
    case 28: // host clock
    case 29: // virtual real-time clock
      return 8;
    case 5: // input
    case 6:
    case 9: // network
    case 26: // sound
      throw new RangeError(`replay log: event ${event}`);
    default:
      // Interrupts, exceptions, shutdown (10 to 21), checkpoints (30 to 38): nothing.
      if (event > END) throw new RangeError(`replay log: event ${event}`);
      return 0;
  }
}
