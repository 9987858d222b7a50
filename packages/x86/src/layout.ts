/**
 * Where everything lies at the bottom of the host's WASM memory: one table for the interpreter (AssemblyScript imports
 * this file too, hence constants without types) and for the TypeScript around it. Addresses are byte offsets.
 */

// --- Registers. A micro-op names a register by the address of its lowest byte, so AH is RAX + 1. -------------------
/** RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8–R15: 8 bytes each, in the encoding's order. */
export const REGS = 0x400;
/** Always 0: a micro-op without base or index names this one. */
export const ZERO = 0x480;
/** Result of an EA micro-op, used as base by the micro-op behind it. */
export const TMP_EA = 0x488;
/** Linear address of the page that is executed: RIP-relative operands and jumps count from here. */
export const PAGE_BASE = 0x490;
/** Second operand of micro-ops that need one more register. */
export const TMP0 = 0x498;
/** RIP (offset in CS) of the next instruction, valid whenever the interpreter isn't running. */
export const RIP = 0x4a0;
/** Lazy flags: the operation (u32), its result and its second operand (u64). See assembly/flags.ts. */
export const CC_OP = 0x4a8;
export const CC_RES = 0x4b0;
export const CC_SRC = 0x4b8;
/** RFLAGS without CF, PF, AF, ZF, SF, OF: those are in CC_*. Bit 1 is always set. */
export const EFLAGS_REST = 0x4c0;

// --- Segments: ES, CS, SS, DS, FS, GS, LDTR, TR. -------------------------------------------------------------------
/** Bases, u64. */
export const SEG_BASE = 0x500;
/** Limits in bytes, u32 each (already scaled by G). */
export const SEG_LIMIT = 0x540;
/** Selectors, u32 each. */
export const SEG_SELECTOR = 0x560;
/** Access rights, u32: bits 15:0 as in the descriptor's bits 55:40 (type, S, DPL, P, AVL, L, D/B, G), bit 16 unusable. */
export const SEG_RIGHTS = 0x580;
export const ES = 0;
export const CS = 1;
export const SS = 2;
export const DS = 3;
export const FS = 4;
export const GS = 5;
export const LDTR = 6;
export const TR = 7;
export const GDT_BASE = 0x5a0;
export const GDT_LIMIT = 0x5a8;
export const IDT_BASE = 0x5b0;
export const IDT_LIMIT = 0x5b8;

// --- Control registers and MSRs that the core itself needs, u64 each. ----------------------------------------------
export const CR0 = 0x600;
export const CR2 = 0x608;
export const CR3 = 0x610;
export const CR4 = 0x618;
export const CR8 = 0x620;
export const EFER = 0x628;
export const STAR = 0x630;
export const LSTAR = 0x638;
export const CSTAR = 0x640;
export const SFMASK = 0x648;
export const KERNEL_GS_BASE = 0x650;
export const SYSENTER_CS = 0x658;
export const SYSENTER_ESP = 0x660;
export const SYSENTER_EIP = 0x668;
export const TSC_AUX = 0x670;
export const PAT = 0x678;
/** DR0–DR3, DR6, DR7. */
export const DR = 0x680;
/** Mask of the C bit in page-table entries and CR3; 0 where the guest has none. */
export const C_BIT_MASK = 0x6b0;
/** Mask of the reserved bits of a page-table entry (above MAXPHYADDR, without the C bit). */
export const PTE_RESERVED_MASK = 0x6b8;
/** Subtracted and added by RDTSC where the clock is deterministic: TSC = TSC_OFFSET + retired × TSC_RATE / 2^16. */
export const TSC_OFFSET = 0x6c0;
export const TSC_RATE = 0x6c8;

// --- SSE and x87. ---------------------------------------------------------------------------------------------------
/** XMM0–XMM15, 16 bytes each. */
export const XMM = 0x700;
export const MXCSR = 0x800;
/** x87: control, status and abridged tag word (u16, u16, u16), last opcode (u16), IP and DP (u64 each). */
export const FPU_CONTROL = 0x810;
export const FPU_STATUS = 0x812;
export const FPU_TAG = 0x814;
export const FPU_OPCODE = 0x816;
export const FPU_IP = 0x818;
export const FPU_DP = 0x820;
/** ST/MM registers by physical number, 16 bytes each (80 bits used). */
export const FPU_REGS = 0x830;

// --- The run loop's own. ---------------------------------------------------------------------------------------------
/** Instructions that may still retire in this run (i64); below 0 once the run has ended by budget. */
export const BUDGET = 0x900;
/** Exception on its way: vector (u32), 1 if it has an error code (u32), error code (u32); CR2 is set with it. */
export const FAULT_VECTOR = 0x908;
export const FAULT_HAS_CODE = 0x90c;
export const FAULT_CODE = 0x910;
/** What the micro-op that stopped the run wants: one of EXIT_*, with up to four u32/u64 arguments behind it. */
export const EXIT_REASON = 0x918;
export const EXIT_ARG0 = 0x920;
export const EXIT_ARG1 = 0x928;
export const EXIT_ARG2 = 0x930;
export const EXIT_ARG3 = 0x938;
/** 1 while an interrupt waits for IF (or for the shadow's end): STI, POPF and IRET then end the run. */
export const IRQ_WAITING = 0x940;
/** 1 during the one instruction behind STI, MOV SS or POP SS. */
export const IRQ_SHADOW = 0x944;
/** 0 supervisor, 3 user: CPL, kept beside SS.DPL because the TLB asks for it. */
export const CPL = 0x948;
/** Bitness of code: 16, 32 or 64. */
export const CODE_BITS = 0x94c;
/** 1 while the instruction is delivered again after an exit: I/O and MMIO take their answer instead of asking. */
export const COMPLETING = 0x950;
/** u32, counts how often the whole code cache was forgotten: links into it from before are dead. */
export const CODE_GENERATION = 0x954;
/** Exceptions delivered since the caller last cleared it (u64): each costs one of BUDGET too, so that no fault loop is endless. */
export const EVENTS = 0x958;
/** Scratch for accesses that cross a page or that a device answers. */
export const BOUNCE = 0x980;
/** u64: what a stack address is masked with: all ones in 64-bit mode, else 32 or 16 ones by SS.B. */
export const STACK_MASK = 0x9a0;
/** u32, PENDING_*: what the exit that COMPLETING answers was for. */
export const PENDING = 0x9a8;
/** u32: 1 sends every RDMSR and WRMSR to the owner (an MSR filter), also those that the core holds. */
export const MSR_EXITS_ALL = 0x9ac;
/** i64: BUDGET at the boundary where IRQ_SHADOW began: it holds there only. */
export const SHADOW_BUDGET = 0x9b0;
/** u64: seed and state of RDRAND and RDSEED, never 0. */
export const RANDOM = 0x9b8;
/** u32: 1 from the delivery of an NMI to the next IRET. */
export const NMI_BLOCKED = 0x9c0;
/** u64: instructions retired and events delivered since the state was made, and where that stands once BUDGET is 0. */
export const RETIRED = 0x9c8;
export const RETIRED_AT_0 = 0x9d0;
/** u32: 1 where the instruction before was single-stepped and ended the run: its #DB comes first in the next. */
export const TRAP_PENDING = 0x9d8;
/** u32: 1 tells the owner of each exception that is delivered (EngineHost.exception). */
export const TELL_EXCEPTIONS = 0x9dc;
/** u32: 1 has a run go instruction by instruction, so that it ends exactly at its budget. */
export const STEPPING = 0x9e0;
/** Items of an EXIT_IO, up to IO_DATA_BYTES: what an OUT gives, and where the owner puts what an IN takes. */
export const IO_DATA = 0xc00;
export const IO_DATA_BYTES = 1024;
/** End of what belongs to the virtual processor: REGS up to here is saved and loaded when another one runs. */
export const STATE_END = 0x1000;

// --- TLBs ------------------------------------------------------------------------------------------------------------
export const TLB_ENTRIES = 1024;
/** Data entries, 32 bytes: tag for reads (u64 linear page), tag for writes (u64), host page − linear page (u32 wrap). */
export const TLB_SUPERVISOR = 0x1_0000;
export const TLB_USER = 0x1_8000;
export const EXEC_TLB_ENTRIES = 512;
/** Code entries, 16 bytes: tag (u64 linear page), jump table of the code page (u32), host page (u32). */
export const EXEC_TLB_SUPERVISOR = 0x2_0000;
export const EXEC_TLB_USER = 0x2_2000;
/** What page walks found: guest frame number + 1 (u32), host page (u32). */
export const WALK_CACHE = 0x2_4000;
export const WALK_CACHE_ENTRIES = 1024;
/** u8 a code entry (supervisor's, then user's): 1 where its mapping is global. */
export const EXEC_GLOBAL = 0x2_6000;
/** u8 a hash of a 2 MiB (1024) or 1 GiB (256) region: 1 where the TLBs may hold parts of such a page. */
export const LARGE_2M = 0x2_6400;
export const LARGE_1G = 0x2_6800;

// --- Code cache --------------------------------------------------------------------------------------------------------
/** u32 a host frame: its jump table's address, 0 where none of its bytes was decoded. 4 MiB for 4 GiB of frames. */
export const CODE_OF_FRAME = 0x40_0000;
/** Micro-ops, UOP_BYTES each. */
export const UOPS = 0x100_0000;
export const UOPS_END = 0x400_0000;
/** Jump tables: a u32 a byte offset of a code page, the micro-op that starts there, or 0. */
export const JUMP_TABLES = 0x400_0000;
export const JUMP_TABLES_END = 0x800_0000;
export const JUMP_TABLE_BYTES = 0x4000;

/** Guest-visible frames start here. */
export const FIRST_FRAME = 0x800_0000;

// --- A micro-op -----------------------------------------------------------------------------------------------------
export const UOP_BYTES = 32;
/** u16 operation (src/ops). */
export const UOP_OP = 0;
/** u16: instructions of this trace before this one. */
export const UOP_ORDINAL = 2;
/** u16 register addresses: destination (or first), source (or second). */
export const UOP_A = 4;
export const UOP_B = 6;
/** u16 register addresses of the memory operand, ZERO where absent. */
export const UOP_BASE = 8;
export const UOP_INDEX = 10;
/** u8: log2 of the scale. */
export const UOP_SCALE = 12;
/** u8: bytes of the instruction. */
export const UOP_LENGTH = 13;
/** u16: offset in the page of the next instruction; may exceed 4096 by up to 14. */
export const UOP_NEXT = 14;
/** i64 displacement. */
export const UOP_DISP = 16;
/** u32, in the displacement's place: the micro-op that a direct jump inside the page leads to, 0 until it was looked up. */
export const UOP_LINK = 16;
/** i64 immediate; of a direct jump: its target, relative to PAGE_BASE. */
export const UOP_IMM = 24;

// --- Why run() came back --------------------------------------------------------------------------------------------
/** The budget is used up. */
export const EXIT_BUDGET = 0;
export const EXIT_HLT = 1;
/** Triple fault. */
export const EXIT_SHUTDOWN = 2;
/**
 * Port I/O: ARG0 = port | size << 16 | isOut << 24 | isString << 25 | hasRep << 26; ARG1 = value of an OUT (of one item),
 * ARG2 = items, more than 1 only of REP INS. RIP at it: the items of an IN go to IO_DATA, then COMPLETING, for OUT too.
 */
export const EXIT_IO = 3;
/** MMIO: ARG0 = GPA (u64), ARG1 = size | isWrite << 8, ARG2 = value (u64). */
export const EXIT_MMIO = 4;
/** fill() answered FILL_FAULT: the caller knows why. */
export const EXIT_FILL = 5;
/**
 * RDMSR and WRMSR of an MSR that the core doesn't hold: ARG0 = index, ARG1 = value (u64). RIP at it: the owner puts a
 * read's value in ARG1, one of MSR_* in ARG2, then COMPLETING.
 */
export const EXIT_RDMSR = 6;
export const EXIT_WRMSR = 7;
/** CPUID: EAX and ECX are in the registers; the answer goes there too. RIP is already behind it. */
export const EXIT_CPUID = 8;
/** VMMCALL or VMCALL; RIP is already behind it. */
export const EXIT_HYPERCALL = 9;
/** IF has become 1 (and no shadow) while IRQ_WAITING was set. */
export const EXIT_IRQ_WINDOW = 10;
/** An instruction that the engine can't do: the decoder says which. RIP at it. */
export const EXIT_UNSUPPORTED = 11;
/** CR8 was written: ARG0 = value. RIP is already behind it. */
export const EXIT_CR8 = 12;

// --- Access kinds (fill, translate) -----------------------------------------------------------------------------------
export const ACCESS_READ = 0;
export const ACCESS_WRITE = 1;
export const ACCESS_EXECUTE = 2;
/** A page-table entry is read or its A/D bits written: always private under SEV, whatever the C bit. */
export const ACCESS_WALK = 4;

// --- fill()'s answers beside a frame's address ---------------------------------------------------------------------------
/** Set in a frame's address: reads only, writes must ask again. */
export const FILL_READ_ONLY = 1;
/** No memory there: MMIO. */
export const FILL_MMIO = 0;
/** The run must end with EXIT_FILL. */
export const FILL_FAULT = 2;

// --- PENDING ---------------------------------------------------------------------------------------------------------------
export const PENDING_NONE = 0;
export const PENDING_IO = 1;
export const PENDING_RDMSR = 2;
export const PENDING_WRMSR = 3;

// --- The owner's word on an EXIT_RDMSR or EXIT_WRMSR, in ARG2 -----------------------------------------------------------------
export const MSR_DONE = 0;
/** The instruction raises #GP. */
export const MSR_REFUSED = 1;
/** The core does it itself (an MSR that it holds, which MSR_EXITS_ALL showed to the owner first). */
export const MSR_OWN = 2;
