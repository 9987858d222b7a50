import type { U64Words } from '../../irq/index.ts';
import { give, type KeptMsr, type MsrAnswer, type MsrAsker, type MsrBank } from './msr-bank.ts';

/** How an MSR that stands for hardware which isn't there takes a write by the guest. */
type Write = 'keep' | 'drop' | 'refuse';

interface Row {
  readonly index: number;
  readonly high?: number;
  readonly low?: number;
  readonly write: Write;
  /** Bits of the low half that may be set; all where left out. */
  readonly known?: number;
  readonly listed?: true;
}

/**
 * MSRs whose value nothing depends on here, as KVM answers them for an AMD processor (arch/x86/kvm/x86.c, svm/svm.c):
 * some keep what is written, some forget it, some take only what they know.
 */
const ROWS: readonly Row[] = [
  // IA32_PLATFORM_ID.
  { index: 0x17, write: 'refuse' },
  // SMI_COUNT.
  { index: 0x34, write: 'keep', listed: true },
  // Microcode: a loader's write, and the revision.
  { index: 0x79, write: 'drop' },
  { index: 0x8b, high: 0x0100_0065, write: 'refuse', listed: true },
  // MISC_FEATURES_ENABLES.
  { index: 0x140, write: 'keep', known: 1, listed: true },
  // Machine checks: no banks.
  { index: 0x179, write: 'refuse', listed: true },
  { index: 0x17a, write: 'keep', listed: true },
  { index: 0x17b, write: 'keep', listed: true },
  // MISC_ENABLE: fast strings.
  { index: 0x1a0, low: 1, write: 'keep', listed: true },
  // DEBUGCTL and last branches: nothing is recorded.
  { index: 0x1d9, write: 'keep', known: 0x3f, listed: true },
  { index: 0x1db, write: 'refuse', listed: true },
  { index: 0x1dc, write: 'refuse', listed: true },
  { index: 0x1dd, write: 'refuse', listed: true },
  { index: 0x1de, write: 'refuse', listed: true },
  // SYSCFG: the host's memory encryption is none of the guest's.
  { index: 0xc001_0010, write: 'refuse' },
  // HWCR: the counter runs at P0's frequency. Bits 3, 6 and 8 are for caches and erratas, bit 18 for machine checks.
  {
    index: 0xc001_0015,
    low: 1 << 24,
    write: 'keep',
    known: (1 << 3) | (1 << 6) | (1 << 8) | (1 << 18) | (1 << 24),
    listed: true,
  },
  { index: 0xc001_001f, write: 'drop', listed: true },
  { index: 0xc001_0020, write: 'drop' },
  { index: 0xc001_0022, write: 'drop' },
  // INT_PENDING_MSG.
  { index: 0xc001_0055, write: 'drop' },
  // MMIO configuration space.
  { index: 0xc001_0058, write: 'drop', known: 0 },
  // SMM's segment.
  { index: 0xc001_0112, write: 'drop' },
  { index: 0xc001_0113, write: 'drop' },
  { index: 0xc001_0117, write: 'keep', listed: true },
  { index: 0xc001_1020, write: 'drop' },
  { index: 0xc001_1021, write: 'drop' },
  { index: 0xc001_1022, write: 'drop' },
  { index: 0xc001_1023, write: 'drop' },
  // DE_CFG: LFENCE waits for everything before it.
  { index: 0xc001_1029, low: 1 << 1, write: 'keep', known: 1 << 1, listed: true },
];

/** MSRs that say what the processor is (KVM_GET_MSR_FEATURE_INDEX_LIST). */
export const FEATURE_MSRS = [0x8b, 0xc001_1029];

export const PLATFORM_MSRS = ROWS.filter((row) => row.listed === true).map(({ index }) => index);

export class PlatformMsrs implements MsrBank {
  readonly #rows = new Map(ROWS.map((row) => [row.index, { row, high: row.high ?? 0, low: row.low ?? 0 }]));

  read(index: number, into: U64Words): MsrAnswer {
    const found = this.#rows.get(index);
    return found === undefined ? 'unknown' : give(into, found.high, found.low);
  }

  write(index: number, high: number, low: number, asker: MsrAsker): MsrAnswer {
    const found = this.#rows.get(index);
    if (found === undefined) return 'unknown';
    const { row } = found;
    if (row.known !== undefined && (high !== 0 || (low & ~row.known) !== 0)) return 'refused';
    if (row.write === 'refuse' && asker === 'guest') return 'refused';
    if (row.write === 'drop') return 'done';
    found.high = high;
    found.low = low;
    return 'done';
  }

  kept(): readonly KeptMsr[] {
    return [...this.#rows].map(([index, { high, low }]) => [index, high, low]);
  }

  keep(values: readonly KeptMsr[]): void {
    for (const [index, high, low] of values) {
      const found = this.#rows.get(index);
      if (found !== undefined) Object.assign(found, { high, low });
    }
  }
}
