import { UnpinError } from '@unpin/contract';

const FACTORS: Record<string, number> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** Bytes of `512M`, `64G`, `1.5GiB`, `4096`. Throws MEMORY_INVALID. */
export function parseSize(text: string, subject = 'memory size'): number {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?$/i.exec(text.trim());
  const factor = FACTORS[(match?.[2] ?? '?').toUpperCase()];
  if (match === null || factor === undefined)
    throw new UnpinError('MEMORY_INVALID', { subject, found: `'${text}'`, needed: 'a number with K, M, G or T' });
  return Math.round(Number(match[1]) * factor);
}

/** Bytes for people, in binary units: `1.5 GiB`. */
export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let scaled = value;
  let unit = 0;
  while (scaled >= 1024 && unit < units.length - 1) {
    scaled /= 1024;
    unit++;
  }
  return `${scaled >= 100 || Number.isInteger(scaled) ? Math.round(scaled) : scaled.toFixed(1)} ${units[unit]}`;
}

/** Milliseconds for people. */
export function duration(ms: number): string {
  if (ms < 1) return `${(ms * 1000).toFixed(0)} µs`;
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
  return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
}

/** Nanoseconds for people. */
export function nanoseconds(ns: number): string {
  return ns < 1000 ? `${Math.round(ns)} ns` : ns < 1e5 ? `${(ns / 1000).toFixed(1)} µs` : duration(ns / 1e6);
}

/** The same, and a dash for what was not measured. */
export function durationOrDash(ms: number | undefined): string {
  return ms === undefined ? '–' : duration(ms);
}
