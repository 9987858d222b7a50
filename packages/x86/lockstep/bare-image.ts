/**
 * A bare machine in which user-mode code can be run and its exceptions seen: descriptor tables, page tables, a stub into
 * user mode and stubs out of it. The same bytes for every machine: ours, QEMU, or a KVM. Guest-physical addresses unless
 * said; everything fits into BARE_MEMORY. Supervisor code and tables are mapped at SUPERVISOR + physical address only, so
 * that a stray user address finds nothing, as in a process.
 */

/** Bytes of guest memory that the image takes. */
export const BARE_MEMORY = 0x20_0000;
/** Linear address of physical 0 for the supervisor: the top 2 GiB. */
export const SUPERVISOR = 0xffff_ffff_8000_0000n;

const GDT = 0x0000;
const IDT = 0x1000;
const TSS = 0x2000;
/** Two page-table roots: the first maps physical 0 at linear 0 too, for the way in. */
const ROOT_IN = 0x3000;
const ROOT = 0x4000;
const PDPT_LOW = 0x5000;
const PDPT_LOW_IN = 0x6000;
const PDPT_HIGH = 0x7000;
const PD_USER = 0x8000;
const PD_USER_IN = 0x9000;
const PD_SUPERVISOR = 0xa000;
const TABLES = 0xb000;
const STACK_TOP = 0x1_8000;
const STUBS = 0x1_8000;

/** Selectors. A user's have RPL 3. */
export const SELECTORS = { code: 0x08, data: 0x10, userData: 0x1b, userCode: 0x23, task: 0x28 } as const;

/** What a machine starts with: 64-bit mode at `entry`, to which the HLT at `ready` answers; then CR3 is to be `root`. */
export const BARE_START = {
  cr0: 0x8005_0033n, // PG AM WP NE ET MP PE, as Linux has it
  cr3: BigInt(ROOT_IN),
  cr4: 0x6a0n, // OSXMMEXCPT OSFXSR PGE PAE
  efer: 0xd01n, // NXE LMA LME SCE
  gdt: { base: 0n, limit: 0x37 },
  stack: SUPERVISOR + BigInt(STACK_TOP),
} as const;
export const BARE_ROOT = BigInt(ROOT);

/** FXSAVE64 images: what user mode starts with, and what it left. */
export const FX_IN = 0x1_c000;
export const FX_OUT = 0x1_c200;
/** Where the stub into user mode finds its IRETQ frame: RIP, CS, RFLAGS, RSP, SS. */
export const FRAME_IN = 0x1_c400;
/** What an exception leaves: vector, error code, then RIP, CS, RFLAGS, RSP, SS. Eight bytes each. */
export const FRAME_OUT = STACK_TOP - 7 * 8;

/** 64-bit code, linear: loads the descriptor tables and halts. */
export const SETUP = SUPERVISOR + BigInt(STUBS);
/** 64-bit code, linear: FXRSTOR64 of FX_IN, IRETQ through FRAME_IN. General registers go through untouched, but RSP. */
export const ENTER = SETUP + 0x80n;
/** The stub's IRETQ alone, for a machine whose vector state is set in another way; RSP must be FRAME_IN's linear address. */
export const ENTER_PLAIN = ENTER + 16n;
/** Every exception ends in the HLT before this linear address, FX_OUT and FRAME_OUT written, general registers untouched but RSP. */
export const LEFT = SETUP + 0x100n;
const VECTOR_STUBS = STUBS + 0x200;
/** Guest-physical: the FXSAVE64 before the HLT, and its length. */
export const SAVE_FX = STUBS + 0x100 - 10;
export const SAVE_FX_BYTES = 9;

/** A user's page. `linear` below 4 GiB. */
export interface UserPages {
  readonly linear: number;
  readonly physical: number;
  readonly bytes: number;
  readonly writable: boolean;
  readonly executable: boolean;
}

const HAS_ERROR_CODE = new Set([8, 10, 11, 12, 13, 14, 17, 21]);
const PRESENT = 1n;
const WRITABLE = 2n;
const USER = 4n;
const ACCESSED_DIRTY = 0x60n;
const LARGE = 0x80n;
const NO_EXECUTE = 1n << 63n;

/** The image, with these pages for the user. Throws RangeError when they need more than eight page tables. */
export function bareImage(pages: readonly UserPages[]): Uint8Array {
  const memory = Buffer.alloc(BARE_MEMORY);
  const quad = (address: number, value: bigint): void => {
    memory.writeBigUInt64LE(BigInt.asUintN(64, value), address);
  };
  // Flat segments: only L, DPL and the type count in 64-bit mode.
  quad(GDT + 0x08, 0x00af_9b00_0000_ffffn);
  quad(GDT + 0x10, 0x00cf_9300_0000_ffffn);
  quad(GDT + 0x18, 0x00cf_f300_0000_ffffn);
  quad(GDT + 0x20, 0x00af_fb00_0000_ffffn);
  const task = SUPERVISOR + BigInt(TSS);
  quad(GDT + 0x28, 0x0000_8900_0000_0067n | ((task & 0xff_ffffn) << 16n) | (((task >> 24n) & 0xffn) << 56n));
  quad(GDT + 0x30, task >> 32n);
  quad(TSS + 4, SUPERVISOR + BigInt(STACK_TOP));
  memory.writeUInt16LE(0x68, TSS + 0x66);

  const tables = PRESENT | WRITABLE | USER | 0x20n;
  quad(ROOT_IN, BigInt(PDPT_LOW_IN) | tables);
  quad(ROOT, BigInt(PDPT_LOW) | tables);
  quad(ROOT + 511 * 8, BigInt(PDPT_HIGH) | tables);
  quad(ROOT_IN + 511 * 8, BigInt(PDPT_HIGH) | tables);
  quad(PDPT_LOW, BigInt(PD_USER) | tables);
  quad(PDPT_LOW_IN, BigInt(PD_USER_IN) | tables);
  quad(PDPT_HIGH + 510 * 8, BigInt(PD_SUPERVISOR) | tables);
  const supervisor = PRESENT | WRITABLE | ACCESSED_DIRTY | LARGE;
  quad(PD_USER_IN, supervisor);
  quad(PD_SUPERVISOR, supervisor);
  mapUser(quad, pages);
  writeStubs(memory);
  return memory;
}

function mapUser(quad: (address: number, value: bigint) => void, pages: readonly UserPages[]): void {
  const tableOf = new Map<number, number>();
  for (const { linear, physical, bytes, writable, executable } of pages) {
    for (let offset = 0; offset < bytes; offset += 4096) {
      const address = linear + offset;
      const region = Math.floor(address / 0x20_0000);
      if (region >= 512) throw new RangeError(`user page at ${address.toString(16)}: the image maps the first GiB`);
      const table = tableOf.get(region) ?? TABLES + tableOf.size * 4096;
      if (table >= TABLES + 8 * 4096) throw new RangeError('user pages in more than eight regions of 2 MiB');
      tableOf.set(region, table);
      quad(PD_USER + region * 8, BigInt(table) | PRESENT | WRITABLE | USER | 0x20n);
      const rights = PRESENT | USER | ACCESSED_DIRTY | (writable ? WRITABLE : 0n) | (executable ? 0n : NO_EXECUTE);
      quad(table + (Math.floor(address / 4096) % 512) * 8, BigInt(physical + offset) | rights);
    }
  }
}

/** The stubs' machine code. Absolute operands are 32-bit and sign-extended, which reaches the top 2 GiB. */
function writeStubs(memory: Buffer): void {
  const at = (physical: number): string => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(Number(BigInt.asIntN(32, SUPERVISOR + BigInt(physical))));
    return bytes.toString('hex');
  };
  const write = (physical: number, hex: string): void => {
    memory.write(hex.replaceAll(' ', ''), physical, 'hex');
  };
  // The tables' pseudo-descriptors.
  const GDTR = STUBS + 0x180;
  const IDTR = STUBS + 0x190;
  memory.writeUInt16LE(BARE_START.gdt.limit, GDTR);
  memory.writeBigUInt64LE(SUPERVISOR + BigInt(GDT), GDTR + 2);
  memory.writeUInt16LE(0xfff, IDTR);
  memory.writeBigUInt64LE(SUPERVISOR + BigInt(IDT), IDTR + 2);

  // lgdt [GDTR]; lidt [IDTR]; mov ax, task; ltr ax; xor eax, eax; hlt
  write(STUBS, `0f011425 ${at(GDTR)} 0f011c25 ${at(IDTR)} 66b82800 0f00d8 31c0 f4`);
  // mov rsp, FRAME_IN; fxrstor64 [FX_IN]; iretq
  write(STUBS + 0x80, `48c7c4 ${at(FRAME_IN)} 480fae0c25 ${at(FX_IN)} 48cf`);
  // fxsave64 [FX_OUT]; hlt, ending at LEFT
  write(SAVE_FX, `480fae0425 ${at(FX_OUT)} f4`);

  for (let vector = 0; vector < 32; vector++) {
    const stub = VECTOR_STUBS + 16 * vector;
    const hexVector = vector.toString(16).padStart(2, '0');
    const code = `${HAS_ERROR_CODE.has(vector) ? '' : '6a00'} 6a${hexVector} e9`.replaceAll(' ', '');
    write(stub, code);
    memory.writeInt32LE(SAVE_FX - (stub + code.length / 2 + 4), stub + code.length / 2);
    const target = SUPERVISOR + BigInt(stub);
    // An interrupt gate; INT3 and INTO may be raised by the user.
    const type = vector === 3 || vector === 4 ? 0xee00n : 0x8e00n;
    const low =
      (target & 0xffffn) | (BigInt(SELECTORS.code) << 16n) | (type << 32n) | (((target >> 16n) & 0xffffn) << 48n);
    memory.writeBigUInt64LE(low, IDT + 16 * vector);
    memory.writeBigUInt64LE(target >> 32n, IDT + 16 * vector + 8);
  }
}
