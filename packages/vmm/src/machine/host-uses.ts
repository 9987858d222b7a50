import type { GpaRange, MsrFilterRange } from '@unpin/kvm';
import type { HostUse } from '@unpin/kvm/guest-memory';

/** MSRs by which a guest asks KVM to use a page of its memory (Documentation/virt/kvm/x86/msr.rst). */
interface Row {
  readonly msr: number;
  readonly use: HostUse;
  /** Bytes that KVM reads or writes there. */
  readonly bytes: number;
  /** Bits that are no part of the address. */
  readonly flags: bigint;
  /** The use is on only where this bit is set; 0n: every write is one use. */
  readonly enabled: bigint;
}

const ROWS: readonly Row[] = [
  { msr: 0x11, use: 'wall-clock', bytes: 12, flags: 0n, enabled: 0n },
  { msr: 0x12, use: 'kvm-clock', bytes: 32, flags: 1n, enabled: 1n },
  { msr: 0x4b564d00, use: 'wall-clock', bytes: 12, flags: 0n, enabled: 0n },
  { msr: 0x4b564d01, use: 'kvm-clock', bytes: 32, flags: 1n, enabled: 1n },
  { msr: 0x4b564d02, use: 'async-page-fault', bytes: 64, flags: 0x3fn, enabled: 1n },
  { msr: 0x4b564d03, use: 'steal-time', bytes: 64, flags: 0x3fn, enabled: 1n },
  { msr: 0x4b564d04, use: 'pv-eoi', bytes: 4, flags: 3n, enabled: 1n },
];

const BY_MSR = new Map(ROWS.map((row) => [row.msr, row]));

/** What writing an MSR asks the host to use; undefined where it asks for nothing, or switches a use off. */
export function hostUseOf(msr: number, value: bigint): { readonly use: HostUse; readonly range: GpaRange } | undefined {
  const row = BY_MSR.get(msr);
  if (row === undefined || (row.enabled !== 0n && (value & row.enabled) === 0n)) return undefined;
  return { use: row.use, range: { gpa: Number(value & ~row.flags), size: row.bytes } };
}

/** Whether an MSR's write comes to user space only to be judged, and is KVM's to perform. */
export function isHostUseMsr(msr: number): boolean {
  return BY_MSR.has(msr);
}

const FILTER_WRITE = 2;

/** KVM_X86_SET_MSR_FILTER ranges that hand exactly those writes to user space; everything else stays allowed. */
export function hostUseFilter(): readonly MsrFilterRange[] {
  const trapped = new Set(BY_MSR.keys());
  return [filterRange(0, trapped), filterRange(0x4b564d00, trapped)];
}

/** KVM reads the bitmap in whole 64-bit words. */
const RANGE_MSRS = 64;

/** A clear bit denies. */
function filterRange(base: number, trapped: ReadonlySet<number>): MsrFilterRange {
  const bitmap = new Uint8Array(RANGE_MSRS / 8).fill(0xff);
  for (let bit = 0; bit < RANGE_MSRS; bit++)
    if (trapped.has(base + bit)) bitmap[bit >> 3] = (bitmap[bit >> 3] ?? 0) & ~(1 << (bit & 7));
  return { flags: FILTER_WRITE, base, count: RANGE_MSRS, bitmap };
}
