/** Byte offsets in the xAPIC's register page (Intel SDM vol. 3, table 12-1); x2APIC MSRs are 0x800 + offset / 16. */
export const LAPIC = {
  id: 0x20,
  version: 0x30,
  taskPriority: 0x80,
  arbitrationPriority: 0x90,
  processorPriority: 0xa0,
  endOfInterrupt: 0xb0,
  logicalDestination: 0xd0,
  destinationFormat: 0xe0,
  spurious: 0xf0,
  inService: 0x100,
  triggerMode: 0x180,
  request: 0x200,
  errorStatus: 0x280,
  commandLow: 0x300,
  commandHigh: 0x310,
  lvtTimer: 0x320,
  lvtThermal: 0x330,
  lvtPerformance: 0x340,
  lvtLint0: 0x350,
  lvtLint1: 0x360,
  lvtError: 0x370,
  timerInitial: 0x380,
  timerCurrent: 0x390,
  timerDivide: 0x3e0,
  selfIpi: 0x3f0,
} as const;

export const LVT_MASKED = 1 << 16;
/** Bit 8 of the spurious-vector register: the APIC's own switch. */
export const SOFTWARE_ENABLED = 1 << 8;

/** The local vector table, in the page's order; KVM has no CMCI without MCA. */
export const LVT_OFFSETS = [
  LAPIC.lvtTimer,
  LAPIC.lvtThermal,
  LAPIC.lvtPerformance,
  LAPIC.lvtLint0,
  LAPIC.lvtLint1,
  LAPIC.lvtError,
] as const;

/** Version 0x14 with six local vectors, as KVM's. */
export const LAPIC_VERSION = 0x14 | ((LVT_OFFSETS.length - 1) << 16);

/** What may be done with a register in one mode. */
export type Access = 'none' | 'read' | 'write' | 'both';

/** What a write does beside keeping the bits of its mask. */
export type WriteEffect =
  | 'none'
  | 'priority'
  | 'end-of-interrupt'
  | 'destination-format'
  | 'spurious'
  | 'error-status'
  | 'command'
  | 'local-vector'
  | 'timer-mode'
  | 'timer-count'
  | 'timer-divide'
  | 'self-ipi';

export interface LapicRegister {
  readonly name: string;
  readonly offset: number;
  readonly xapic: Access;
  readonly x2apic: Access;
  /** The bits that a write keeps. */
  readonly mask: number;
  readonly effect: WriteEffect;
}

type Row = readonly [name: string, offset: number, xapic: Access, x2apic: Access, mask?: number, effect?: WriteEffect];

/**
 * Masks and modes as KVM has them (measured, Linux 6.18): bits outside a mask are dropped, also in x2APIC mode, where
 * the SDM would have #GP.
 */
const ROWS: readonly Row[] = [
  ['id', LAPIC.id, 'both', 'read', 0xff00_0000],
  ['version', LAPIC.version, 'read', 'read'],
  ['task-priority', LAPIC.taskPriority, 'both', 'both', 0xff, 'priority'],
  ['arbitration-priority', LAPIC.arbitrationPriority, 'read', 'none'],
  ['processor-priority', LAPIC.processorPriority, 'read', 'read'],
  ['end-of-interrupt', LAPIC.endOfInterrupt, 'write', 'write', 0, 'end-of-interrupt'],
  ['logical-destination', LAPIC.logicalDestination, 'both', 'read', 0xff00_0000],
  ['destination-format', LAPIC.destinationFormat, 'both', 'none', 0xffff_ffff, 'destination-format'],
  ['spurious', LAPIC.spurious, 'both', 'both', 0x3ff, 'spurious'],
  ...eight('in-service', LAPIC.inService),
  ...eight('trigger-mode', LAPIC.triggerMode),
  ...eight('request', LAPIC.request),
  ['error-status', LAPIC.errorStatus, 'both', 'both', 0, 'error-status'],
  ['command-low', LAPIC.commandLow, 'both', 'both', 0xffff_ffff, 'command'],
  ['command-high', LAPIC.commandHigh, 'both', 'none', 0xff00_0000],
  ['lvt-timer', LAPIC.lvtTimer, 'both', 'both', 0x7_10ff, 'timer-mode'],
  ['lvt-thermal', LAPIC.lvtThermal, 'both', 'both', 0x1_17ff, 'local-vector'],
  ['lvt-performance', LAPIC.lvtPerformance, 'both', 'both', 0x1_17ff, 'local-vector'],
  ['lvt-lint0', LAPIC.lvtLint0, 'both', 'both', 0x1_f7ff, 'local-vector'],
  ['lvt-lint1', LAPIC.lvtLint1, 'both', 'both', 0x1_f7ff, 'local-vector'],
  ['lvt-error', LAPIC.lvtError, 'both', 'both', 0x1_10ff, 'local-vector'],
  ['timer-initial', LAPIC.timerInitial, 'both', 'both', 0xffff_ffff, 'timer-count'],
  ['timer-current', LAPIC.timerCurrent, 'read', 'read'],
  ['timer-divide', LAPIC.timerDivide, 'both', 'both', 0xb, 'timer-divide'],
  ['self-ipi', LAPIC.selfIpi, 'none', 'write', 0, 'self-ipi'],
];

function eight(name: string, first: number): readonly Row[] {
  return Array.from({ length: 8 }, (_, index): Row => [`${name}-${index}`, first + index * 16, 'read', 'read']);
}

export const LAPIC_REGISTERS: readonly LapicRegister[] = ROWS.map(
  ([name, offset, xapic, x2apic, mask = 0, effect = 'none']) => ({ name, offset, xapic, x2apic, mask, effect }),
);

const BY_SLOT: readonly (LapicRegister | undefined)[] = Array.from({ length: 64 }, (_, slot) =>
  LAPIC_REGISTERS.find(({ offset }) => offset === slot * 16),
);

/** The register at a byte offset below 0x400, or undefined where the page has a hole. */
export function lapicRegister(offset: number): LapicRegister | undefined {
  return BY_SLOT[offset >>> 4];
}

export function mayRead(access: Access): boolean {
  return access === 'read' || access === 'both';
}

export function mayWrite(access: Access): boolean {
  return access === 'write' || access === 'both';
}
