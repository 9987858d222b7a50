/** A mainline kernel version. Distribution suffixes don't count. */
export type KernelVersion = readonly [major: number, minor: number, patch: number];

/** Reads `6.12.117`, `6.18.44-foo`, `7.3-rc1`, `7.3+deb14-amd64`. A missing patch level is 0. RangeError otherwise. */
export function parseKernelVersion(release: string): KernelVersion {
  const found = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(release);
  if (found === null) throw new RangeError(`not a kernel release: '${release}'`);
  return [Number(found[1]), Number(found[2]), Number(found[3] ?? 0)];
}

/** Negative where `a` is older than `b`, 0 where equal. */
export function compareKernelVersions(a: KernelVersion, b: KernelVersion): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}

/** A span of kernels: from `since` (inclusive) up to `until` (the first kernel where it no longer holds). */
export interface KernelSpan {
  readonly since?: string;
  readonly until?: string;
}

export function spanHolds(span: KernelSpan, kernel: KernelVersion): boolean {
  if (span.since !== undefined && compareKernelVersions(kernel, parseKernelVersion(span.since)) < 0) return false;
  return span.until === undefined || compareKernelVersions(kernel, parseKernelVersion(span.until)) < 0;
}
