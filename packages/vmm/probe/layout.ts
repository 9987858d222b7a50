/**
 * The probe guest's memory map, ports and parameters: what probe.asm and the VMM agree on. Bytes. probe.asm repeats
 * these numbers, and a test holds the two together.
 */

/** Code and its read-only data; entered at its first byte. */
export const CODE = 0x10_0000;
/** Room for code, in bytes. */
export const CODE_ROOM = 0x1_0000;
/** Parameter page; RSI at the entry. */
export const PARAMETERS = 0x11_0000;
/** Top of the stack, which grows down to the parameters. */
export const STACK_TOP = 0x12_0000;
/** Pages that are exchanged with the host; the page before and the two behind are checked as neighbours. */
export const EXCHANGE = 0x18_0000;
export const EXCHANGE_PAGES_MAX = 64;
/** Memory from here on is touched, as much of it as was asked for. */
export const TOUCH = 0x20_0000;

/** Page tables; below 640 KiB, so that 1 MiB and up is the probe's. */
export const PAGE_TABLES = 0x1_0000;
export const PAGE_TABLES_END = 0x9_f000;

/** All memory is mapped at its own address as private; what is exchanged also here, without the C bit. */
export const SHARED_WINDOW = 0x100_0000_0000;
/** How much of memory the shared window shows. */
export const SHARED_WINDOW_SIZE = 0x20_0000;

/**
 * Ports of the conversion doorbell (devices/doorbell): what KVM_HC_MAP_GPA_RANGE does, for machines on which VMCALL
 * and VMMCALL never reach the VMM. The command is the hypercall's third argument: bit 4 private.
 */
export const CONVERSION_PORT = 0x5e0;
/** Ports of the probe's own doorbell. */
export const PROBE_PORT = 0x5f0;
/** Commands of the probe's doorbell. */
export const COMMAND = {
  /** Read `count` shared pages at `frame`, compare them with the guest's pattern, then write the host's. */
  exchange: 1,
  /** The probe is done; `count` is the number of things that it found wrong. */
  end: 2,
} as const;
/** Counted exits (`exits`) are byte writes to the POST code port, which nobody listens to. */
export const EXIT_PORT = 0x80;

/** The attribute argument of a conversion (KVM_HC_MAP_GPA_RANGE): bit 4, encrypted. */
export const CONVERT_PRIVATE = 0x10;

/** Offsets in the parameter page. u64 but for flavour and channel, which are u32. */
export const PARAMETER = {
  magic: 0x00,
  flavour: 0x08,
  channel: 0x0c,
  sharedWindow: 0x10,
  touchLowGpa: 0x18,
  touchLowSize: 0x20,
  touchHighGpa: 0x28,
  touchHighSize: 0x30,
  exchangePages: 0x38,
  guestSeed: 0x40,
  hostSeed: 0x48,
  cBit: 0x50,
  rounds: 0x58,
  exits: 0x60,
} as const;

/** "UNPINPRB" in memory order. */
export const MAGIC = 0x4252_504e_4950_4e55n;

/** How the probe behaves. */
export const FLAVOURS = ['honest', 'silent', 'lying', 'misreporting'] as const;
export type Flavour = (typeof FLAVOURS)[number];

/** How it reports conversions: not at all, by hypercall (AMD's or Intel's instruction), or by the doorbell. */
export const CHANNELS = ['none', 'vmmcall', 'vmcall', 'doorbell'] as const;
export type Channel = (typeof CHANNELS)[number];

/** No C bit, as the parameter page says it. */
export const NO_C_BIT = 0xffn;

/** Seeds of the exchanged patterns: a page run's word n is seed + n × PATTERN_STEP, modulo 2^64. */
export const GUEST_SEED = 0x1122_3344_5566_7788n;
export const HOST_SEED = 0x99aa_bbcc_ddee_ff00n;
export const PATTERN_STEP = 0x0101_0101_0101_0101n;
