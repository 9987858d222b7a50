/** What one inspection may take of the machine. */
export interface ConfinedLimits {
  /** CPU time of the process that parses, in milliseconds. */
  readonly cpuMs: number;
  /** From a job's beginning to its end, in milliseconds: media may be slow. */
  readonly wallMs: number;
  /** Its resident set, in bytes. */
  readonly memoryBytes: number;
}

export const DEFAULT_LIMITS: ConfinedLimits = { cpuMs: 4500, wallMs: 60_000, memoryBytes: 512 * 2 ** 20 };

/** A disk that comes packed has to be unpacked whole: CPU time for each byte of the file, in milliseconds. */
const PACKED_MS_PER_BYTE = 1000 / (32 * 2 ** 20);
const PACKED_MAGICS = [Uint8Array.of(0x1f, 0x8b), Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd)];

/** The limits for a file that begins with `head`: more time where all of it must be unpacked first. */
export function limitsFor(limits: ConfinedLimits, head: Uint8Array, bytes: number): ConfinedLimits {
  const packed = PACKED_MAGICS.some((magic) => magic.every((byte, at) => head[at] === byte));
  if (!packed) return limits;
  const more = bytes * PACKED_MS_PER_BYTE;
  return { ...limits, cpuMs: limits.cpuMs + more, wallMs: limits.wallMs + more };
}

/** CPU time that the process's start takes on an ordinary machine, at most, in milliseconds: 150 to 300 were measured. */
const ORDINARY_START_MS = 400;
/** An emulated processor is slower by so much at most, with which the limits still mean something. */
export const SLOWEST_PACE = 25;

/** For a start itself, which no image has a part in: a bound on what hangs. */
export const START_LIMITS: ConfinedLimits = { cpuMs: 120_000, wallMs: 120_000, memoryBytes: 512 * 2 ** 20 };

/** How many times slower than ordinary a machine is on which the start took so much CPU time; 1 for all that aren't. */
export function paceOf(startCpuMs: number): number {
  return Math.min(SLOWEST_PACE, Math.max(1, startCpuMs / ORDINARY_START_MS));
}

/** The same work's limits on a machine of that pace: under emulation (QEMU TCG) each instruction costs many. */
export function atPace(limits: ConfinedLimits, pace: number): ConfinedLimits {
  return { ...limits, cpuMs: limits.cpuMs * pace, wallMs: limits.wallMs * pace };
}

/** V8's own heap, in MiB: what is read and unpacked lies outside of it. */
export const HEAP_MIB = 192;
/**
 * RLIMIT_DATA, in KiB: the kernel's own bound behind the watchdog's, which looks now and then. V8 reserves some 600 MiB
 * that it never touches, and they count.
 */
export const DATA_KIB = 1_600_000;
