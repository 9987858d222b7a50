/** What a verdict can say of a boot set. */
export type StatementId =
  | 'sev-guest'
  | 'sev-es-guest'
  | 'snp-guest'
  | 'page-state-changes'
  | 'tdx-guest'
  | 'unaccepted-memory'
  | 'reports-conversions'
  | 'reports-correctly';

export const STATEMENTS: readonly { readonly id: StatementId; readonly says: string }[] = [
  { id: 'sev-guest', says: 'runs as an SEV guest' },
  { id: 'sev-es-guest', says: 'runs as an SEV-ES guest' },
  { id: 'snp-guest', says: 'runs as an SEV-SNP guest' },
  { id: 'page-state-changes', says: 'announces page state changes as an SEV-SNP guest, early and late' },
  { id: 'tdx-guest', says: 'runs as an Intel TDX guest' },
  { id: 'unaccepted-memory', says: 'accepts its memory as it first uses it (lazy acceptance)' },
  { id: 'reports-conversions', says: 'reports page conversions with KVM_HC_MAP_GPA_RANGE' },
  { id: 'reports-correctly', says: 'reports the right ranges (fix of CVE-2023-53996)' },
];

/**
 * What a verdict can say of firmware, which is no part of a disk image: it is given beside it. A kernel that is booted
 * directly has none.
 */
export type FirmwareStatementId =
  | 'firmware-sev'
  | 'firmware-sev-es'
  | 'firmware-snp'
  | 'firmware-tdx'
  | 'firmware-kernel-hashes'
  | 'firmware-reports-conversions'
  | 'firmware-live-migration';

export const FIRMWARE_STATEMENTS: readonly { readonly id: FirmwareStatementId; readonly says: string }[] = [
  { id: 'firmware-sev', says: 'firmware starts as an SEV guest: it asks for the C bit' },
  { id: 'firmware-sev-es', says: 'firmware starts as an SEV-ES guest, and names where further processors start' },
  { id: 'firmware-snp', says: 'firmware starts as an SEV-SNP guest, and names the pages that its launch prepares' },
  { id: 'firmware-tdx', says: 'firmware starts as a TDX guest, and names its parts for the launch' },
  { id: 'firmware-kernel-hashes', says: 'firmware checks kernel, initrd and command line against measured hashes' },
  { id: 'firmware-reports-conversions', says: 'firmware reports the pages that it converts itself' },
  { id: 'firmware-live-migration', says: 'firmware announces SEV live migration to the guest' },
];

/**
 * How sure a finding is, the surest first.
 *
 * - `proven`: it is in the code that boots, whatever that code is put through.
 * - `observed`: seen in a run of this boot set, up to a stated point. It says nothing of paths that the run did not take,
 *   so it is no proof: it does for needs that an inference does for. A `no` that was observed is as good as any.
 * - `inferred`: something that goes with it was seen.
 * - `unknown` goes with the answer `unknown`, and with nothing else.
 */
export const LEVELS = ['proven', 'observed', 'inferred', 'unknown'] as const;
export type Level = (typeof LEVELS)[number];

/** Whether a level is as sure as another one. Pure. */
export function isAtLeast(level: Level, asked: Level): boolean {
  return LEVELS.indexOf(level) <= LEVELS.indexOf(asked);
}

/** One thing seen in the boot set that a finding rests on. */
export interface Evidence {
  /** Stable name of the signal, e.g. `hypercall-code`. */
  readonly signal: string;
  /** Where: a file, a symbol, a section, a config line. */
  readonly where: string;
  /** Offset in bytes into what `where` names, where that makes sense. */
  readonly offset?: number;
  /** What was seen there, for people. */
  readonly seen: string;
}

export interface Finding {
  readonly answer: 'yes' | 'no' | 'unknown';
  readonly level: Level;
  /** One line for people: why this answer. */
  readonly summary: string;
  readonly evidence: readonly Evidence[];
}

/** A file that takes part in a start. */
export interface BootPart {
  readonly name: string;
  /** SHA-256, hex. */
  readonly sha256: string;
  readonly bytes: number;
}

/** The parts that a start would boot, by digest. */
export interface BootSet {
  /** SHA-256 over the parts' digests and the command line, hex. Two boot sets with the same digest are the same. */
  readonly digest: string;
  readonly kernel: BootPart;
  /** Several are one, as the loader puts them one behind the other into memory. */
  readonly initrd?: BootPart;
  readonly commandLine?: string;
  /** What the loader read to find the rest. */
  readonly configuration?: readonly BootPart[];
  readonly firmware?: BootPart;
  /** Where it can't be told which of several starts will be: the digests of the others, which count as much. */
  readonly others?: readonly string[];
}

export interface KernelFacts {
  /** The `Linux version …` banner, absent where none was found. */
  readonly banner?: string;
  /** e.g. `bzImage 2.15`, `ELF64 vmlinux`. */
  readonly container: string;
  /** e.g. `zstd`, `xz`, `lz4-legacy`, `none`. */
  readonly payload: string;
}

/** What a boot set can do, each statement with its evidence and a level. */
export interface Verdict {
  readonly bootSet: BootSet;
  /** Version of the inspector's rules: a newer one asks for a new inspection. */
  readonly inspector: string;
  readonly kernel: KernelFacts;
  readonly statements: Readonly<Record<StatementId, Finding>>;
  /** What stood in the way where statements are unknown. */
  readonly obstacles: readonly string[];
  /** Of the firmware that was given; absent where none was. */
  readonly firmware?: FirmwareVerdict;
}

/** What a firmware image can do. */
export interface FirmwareVerdict {
  readonly name: string;
  /** SHA-256 of the file, hex. */
  readonly sha256: string;
  readonly bytes: number;
  readonly statements: Readonly<Record<FirmwareStatementId, Finding>>;
  /** What stood in the way where statements are unknown. */
  readonly obstacles: readonly string[];
}

/** A finding for what was not, or could not be, looked at. */
export function unknownFinding(summary: string): Finding {
  return { answer: 'unknown', level: 'unknown', summary, evidence: [] };
}
