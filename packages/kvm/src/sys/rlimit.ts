import { check } from './errno.ts';
import { symbol } from './libc.ts';

/** RLIMIT_MEMLOCK (asm-generic/resource.h). */
const RLIMIT_MEMLOCK = 8;
const UNLIMITED = 0xffff_ffff_ffff_ffffn;

const getrlimitC = symbol<(resource: number, to: Uint8Array) => number>('getrlimit', 'int', ['int', 'void *']);
const setrlimitC = symbol<(resource: number, from: Uint8Array) => number>('setrlimit', 'int', ['int', 'void *']);

/** Limits in bytes; Infinity where there is none. */
export interface MemlockLimit {
  readonly soft: number;
  readonly hard: number;
}

/** How much memory an unprivileged process may lock (getrlimit(2), RLIMIT_MEMLOCK). CAP_IPC_LOCK is above it. */
export function memlockLimit(): MemlockLimit {
  const limits = new BigUint64Array(2);
  // Safety: struct rlimit is two unsigned longs.
  check('getrlimit', getrlimitC()(RLIMIT_MEMLOCK, new Uint8Array(limits.buffer)));
  return { soft: toNumber(limits[0] ?? 0n), hard: toNumber(limits[1] ?? 0n) };
}

/** Sets it. Errors: EPERM for a hard limit above the present one without CAP_SYS_RESOURCE. */
export function setMemlockLimit(limit: MemlockLimit): void {
  const limits = new BigUint64Array([fromNumber(limit.soft), fromNumber(limit.hard)]);
  // Safety: struct rlimit is two unsigned longs.
  check('setrlimit', setrlimitC()(RLIMIT_MEMLOCK, new Uint8Array(limits.buffer)));
}

function toNumber(value: bigint): number {
  return value === UNLIMITED ? Number.POSITIVE_INFINITY : Number(value);
}

function fromNumber(value: number): bigint {
  return value === Number.POSITIVE_INFINITY ? UNLIMITED : BigInt(value);
}
