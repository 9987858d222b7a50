import type { HostMemory } from '../../src/port/host-memory.ts';
import type { Vcpu } from '../../src/port/vcpu.ts';
import type { Segment } from '../../src/port/vcpu-state.ts';
import type { Vm } from '../../src/port/vm.ts';
import type { RuleContext } from '../rule-context.ts';

/** Guest-physical map of a long-mode guest: RAM at 0, page tables that map the first GiB onto itself. */
export const LONG_RAM_BYTES = 0x1_0000;
export const LONG_CODE = 0x1000;
export const LONG_DATA = 0x2000;
const LONG_STACK_TOP = 0xf000;
const PML4 = 0x8000;
const PDPT = 0x9000;
const PAGE_DIRECTORY = 0xa000;
const TABLES_END = 0xb000;
const TSS_GPA = 0xfffb_d000;

/** Page-table entry bits: present, writable, user; 2 MiB page. */
const ENTRY = 0x07n;
const LARGE = 0x80n;
const LARGE_PAGE_BYTES = 0x20_0000n;

/** CR0: PE, ET, PG. CR4: PAE, OSFXSR. EFER: LME, LMA. */
const CR0 = 0x8000_0011n;
const CR4 = 0x220n;
const EFER = 0x500n;

export interface LongModeOptions {
  readonly vm?: Vm;
  /** 0 or 3. At 3, port I/O is allowed all the same (IOPL 3). */
  readonly privilege?: 0 | 3;
  /** A 32-bit code segment in compatibility mode instead of a 64-bit one. */
  readonly compatibility?: boolean;
  /** Puts the RAM slot there; a plain slot of anonymous memory where left out. */
  readonly installRam?: (vm: Vm, memory: HostMemory) => void;
}

export interface LongModeGuest {
  readonly vm: Vm;
  readonly vcpu: Vcpu;
  /** The guest's RAM, at GPA 0. */
  readonly memory: HostMemory;
}

/** A vCPU in long mode at the first byte of `code`, the first GiB mapped onto itself, interrupts off, no IDT. */
export function longModeGuest(ctx: RuleContext, code: Uint8Array, options: LongModeOptions = {}): LongModeGuest {
  const vm = options.vm ?? ctx.vm();
  vm.setTssAddress(TSS_GPA);
  const memory = ctx.memory(LONG_RAM_BYTES);
  memory.write(LONG_CODE, code);
  writePageTables(memory);
  if (options.installRam === undefined) ctx.slot(vm, 0, 0, memory);
  else options.installRam(vm, memory);
  const vcpu = ctx.vcpu(vm);
  vcpu.setCpuid(ctx.kvm.supportedCpuid());
  enterLongMode(vcpu, options);
  return { vm, vcpu, memory };
}

/** Identity map of the first GiB in 2 MiB pages. */
export function writePageTables(memory: HostMemory): void {
  const tables = new Uint8Array(TABLES_END - PML4);
  const entries = new DataView(tables.buffer);
  entries.setBigUint64(0, BigInt(PDPT) | ENTRY, true);
  entries.setBigUint64(PDPT - PML4, BigInt(PAGE_DIRECTORY) | ENTRY, true);
  for (let index = 0; index < 512; index += 1)
    entries.setBigUint64(PAGE_DIRECTORY - PML4 + index * 8, (BigInt(index) * LARGE_PAGE_BYTES) | ENTRY | LARGE, true);
  memory.write(PML4, tables);
}

export function enterLongMode(vcpu: Vcpu, options: LongModeOptions): void {
  const dpl = options.privilege ?? 0;
  const is64 = options.compatibility !== true;
  const code = segment({ selector: 0x08 | dpl, type: 11, dpl, l: is64 ? 1 : 0, db: is64 ? 0 : 1 });
  const data = segment({ selector: 0x10 | dpl, type: 3, dpl, l: 0, db: 1 });
  vcpu.setSregs({
    ...vcpu.getSregs(),
    cs: code,
    ds: { ...data },
    es: { ...data },
    fs: { ...data },
    gs: { ...data },
    ss: { ...data },
    cr0: CR0,
    cr3: BigInt(PML4),
    cr4: CR4,
    efer: EFER,
  });
  // Reserved bit 1, and IOPL 3 where user code is to do port I/O.
  const rflags = dpl === 3 ? 0x3002n : 2n;
  vcpu.setRegs({ ...vcpu.getRegs(), rip: BigInt(LONG_CODE), rsp: BigInt(LONG_STACK_TOP), rflags });
}

function segment(own: Pick<Segment, 'selector' | 'type' | 'dpl' | 'l' | 'db'>): Segment {
  return { base: 0n, limit: 0xffff_ffff, present: 1, s: 1, g: 1, avl: 0, unusable: 0, ...own };
}
