import type { Regs, Segment, Sregs } from '@unpin/kvm';

/** Selectors that the 64-bit boot protocol names __BOOT_CS and __BOOT_DS; the TSS only satisfies the processor. */
const BOOT_CS = 0x10;
const BOOT_DS = 0x18;
const BOOT_TSS = 0x20;

/** CR0: paging, write protection in supervisor mode, native FPU errors, extension type, protected mode. */
const CR0 = 0x8001_0031n;
/** CR4: physical address extension, which long mode needs. */
const CR4 = 0x20n;
/** EFER: long mode enabled and active. */
const EFER = 0x500n;
/** RFLAGS: interrupts off, only the bit that is always one. */
const RFLAGS = 0x2n;

/** Where and how the first instruction runs. */
export interface CpuEntry {
  readonly rip: number;
  /** First argument: boot_params, or the probe's parameter page. */
  readonly rsi: number;
  /** 0 where the guest brings its own stack. */
  readonly rsp: number;
  readonly cr3: bigint;
  readonly gdt: { readonly gpa: number; readonly limit: number };
}

/** The descriptors behind the entry's selectors: null, null, 64-bit code, data, and a 64-bit TSS (two slots). */
export function gdtBytes(): Uint8Array {
  const descriptors = [0n, 0n, 0x00af_9b00_0000_ffffn, 0x00cf_9300_0000_ffffn, 0x0000_8b00_0000_0067n, 0n];
  const bytes = new Uint8Array(descriptors.length * 8);
  const view = new DataView(bytes.buffer);
  for (const [index, descriptor] of descriptors.entries()) view.setBigUint64(index * 8, descriptor, true);
  return bytes;
}

/** General registers at the entry. */
export function entryRegs(entry: CpuEntry): Regs {
  const zero = { rax: 0n, rbx: 0n, rcx: 0n, rdx: 0n, rdi: 0n, rbp: 0n, r8: 0n, r9: 0n };
  const upper = { r10: 0n, r11: 0n, r12: 0n, r13: 0n, r14: 0n, r15: 0n };
  return {
    ...zero,
    ...upper,
    rsi: BigInt(entry.rsi),
    rsp: BigInt(entry.rsp),
    rip: BigInt(entry.rip),
    rflags: RFLAGS,
  };
}

/** Special registers at the entry; what the entry doesn't name (the APIC's base, CR8) stays as `reset` has it. */
export function entrySregs(entry: CpuEntry, reset: Sregs): Sregs {
  const code = segment({ selector: BOOT_CS, type: 0xb, s: 1, l: 1, db: 0, limit: 0xffff_ffff, g: 1 });
  const data = segment({ selector: BOOT_DS, type: 0x3, s: 1, l: 0, db: 1, limit: 0xffff_ffff, g: 1 });
  const tss = segment({ selector: BOOT_TSS, type: 0xb, s: 0, l: 0, db: 0, limit: 0x67, g: 0 });
  const none = { ...segment({ selector: 0, type: 0x2, s: 0, l: 0, db: 0, limit: 0, g: 0 }), present: 0, unusable: 1 };
  return {
    ...reset,
    cs: code,
    ds: data,
    es: { ...data },
    fs: { ...data },
    gs: { ...data },
    ss: { ...data },
    tr: tss,
    ldt: none,
    gdt: { base: BigInt(entry.gdt.gpa), limit: entry.gdt.limit },
    idt: { base: 0n, limit: 0 },
    cr0: CR0,
    cr2: 0n,
    cr3: entry.cr3,
    cr4: CR4,
    efer: EFER,
  };
}

function segment(fields: Pick<Segment, 'selector' | 'type' | 's' | 'l' | 'db' | 'limit' | 'g'>): Segment {
  return { base: 0n, present: 1, dpl: 0, avl: 0, unusable: 0, ...fields };
}
