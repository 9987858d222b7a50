/**
 * System micro-ops. Operands: A and B name registers, memory operands come as the micro-op's address, IMM holds what
 * `SYS_*` below says.
 */
export const OP_HLT = 0x680;
export const OP_CLI = 0x681;
export const OP_STI = 0x682;
/** SYS_SIZE. */
export const OP_PUSHF = 0x683;
export const OP_POPF = 0x684;
/** SYS_NUMBER: vector. INT n, INT3 and INT1 (ICEBP: SYS_FLAG). */
export const OP_INT = 0x685;
export const OP_INTO = 0x686;
/** SYS_SIZE. */
export const OP_IRET = 0x687;
export const OP_SYSCALL = 0x688;
/** SYS_SIZE 8: to 64-bit code, 4: to 32-bit code. */
export const OP_SYSRET = 0x689;
export const OP_SYSENTER = 0x68a;
export const OP_SYSEXIT = 0x68b;
export const OP_SWAPGS = 0x68c;
/** LGDT, LIDT, SGDT, SIDT. SYS_SIZE: bytes of the base. */
export const OP_LGDT = 0x68d;
export const OP_LIDT = 0x68e;
export const OP_SGDT = 0x68f;
export const OP_SIDT = 0x690;
/** SYS_MEMORY, else A: the selector's register. */
export const OP_LLDT = 0x691;
export const OP_LTR = 0x692;
/** To memory (SYS_MEMORY, 16 bits) or register A of SYS_SIZE. */
export const OP_SLDT = 0x693;
export const OP_STR = 0x694;
export const OP_SMSW = 0x695;
export const OP_LMSW = 0x696;
export const OP_CLTS = 0x697;
/** A: the general register, SYS_NUMBER: the control or debug register, SYS_SIZE: 4 or 8. */
export const OP_MOV_TO_CR = 0x698;
export const OP_MOV_FROM_CR = 0x699;
export const OP_MOV_TO_DR = 0x69a;
export const OP_MOV_FROM_DR = 0x69b;
/** SYS_NUMBER: the segment. To: SYS_MEMORY or A. From: SYS_MEMORY (16 bits) or register A of SYS_SIZE. */
export const OP_MOV_TO_SEGMENT = 0x69c;
export const OP_MOV_FROM_SEGMENT = 0x69d;
export const OP_PUSH_SEGMENT = 0x69e;
export const OP_POP_SEGMENT = 0x69f;
/** LDS and its kin. A: the register for the offset, SYS_SIZE of it; SYS_NUMBER: the segment. */
export const OP_LOAD_POINTER = 0x6a0;
/** A: destination of SYS_SIZE. SYS_MEMORY, else B: the selector. */
export const OP_LAR = 0x6a1;
export const OP_LSL = 0x6a2;
/** SYS_MEMORY, else A. */
export const OP_VERR = 0x6a3;
export const OP_VERW = 0x6a4;
export const OP_RDMSR = 0x6a5;
export const OP_WRMSR = 0x6a6;
export const OP_RDTSC = 0x6a7;
export const OP_RDTSCP = 0x6a8;
export const OP_RDPMC = 0x6a9;
export const OP_CPUID = 0x6aa;
/** INVD, WBINVD: nothing is cached, but they are privileged. */
export const OP_WBINVD = 0x6ab;
export const OP_INVLPG = 0x6ac;
/** SYS_SIZE; SYS_FLAG: the port is SYS_NUMBER, else DX. */
export const OP_IN = 0x6ad;
export const OP_OUT = 0x6ae;
/** SYS_SIZE; SYS_REP; SYS_NUMBER: bytes of an address; OUTS: B is where its segment's base lies. */
export const OP_INS = 0x6af;
export const OP_OUTS = 0x6b0;
/** VMCALL and VMMCALL. */
export const OP_VMCALL = 0x6b1;
/** A: destination of SYS_SIZE. */
export const OP_RDRAND = 0x6b2;
/** Direct: SYS_NUMBER is the selector, SYS_SIZE the offset's, which is DISP. */
export const OP_JMP_FAR = 0x6b3;
export const OP_CALL_FAR = 0x6b4;
/** Through memory: offset of SYS_SIZE, then the selector. */
export const OP_JMP_FAR_M = 0x6b5;
export const OP_CALL_FAR_M = 0x6b6;
/** SYS_NUMBER: bytes of arguments that are dropped. */
export const OP_RETF = 0x6b7;

// IMM of a system micro-op: bits 3:0 size in bytes, flags, bits 31:16 a number.
export const SYS_SIZE = 0xf;
export const SYS_MEMORY = 0x10;
export const SYS_REP = 0x20;
export const SYS_FLAG = 0x40;
export const SYS_NUMBER_SHIFT = 16;
