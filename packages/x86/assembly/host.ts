// What the interpreter asks of the TypeScript around it (src/engine.ts answers). All are slow paths.

/** Asks for the host frame of a guest frame: its address with FILL_READ_ONLY perhaps, FILL_MMIO or FILL_FAULT. */
// @ts-ignore: decorator
@external("host", "fill")
export declare function fill(gfn: u32, access: u32, encrypted: u32): u32;

/** The jump table of a code page; made, and the frame write-protected, where there is none. */
// @ts-ignore: decorator
@external("host", "codePage")
export declare function codePage(frame: u32): u32;

/** Decodes from `offset` of a code page on; answers the micro-op that starts there. */
// @ts-ignore: decorator
@external("host", "decode")
export declare function decode(frame: u32, offset: u32): u32;

/** Decodes the one instruction at `offset` of a code page, with an OP_STOP behind it where it doesn't go elsewhere. */
// @ts-ignore: decorator
@external("host", "decodeSingle")
export declare function decodeSingle(frame: u32, offset: u32): u32;

/** Decodes the page-crossing instruction of the OP_CROSS micro-op at `uop`, whose second half lies in `secondFrame`. */
// @ts-ignore: decorator
@external("host", "decodeCrossing")
export declare function decodeCrossing(uop: u32, frame: u32, secondFrame: u32): u32;

/** Bytes of a code page are about to be written: forgets what was decoded from them. */
// @ts-ignore: decorator
@external("host", "codeWritten")
export declare function codeWritten(frame: u32, offset: u32, size: u32): void;

/** An MMIO access. 1: done (a read's value is in EXIT_ARG2). 0: the run must end with EXIT_MMIO. */
// @ts-ignore: decorator
@external("host", "mmio")
export declare function mmio(gpaLow: u32, gpaHigh: u32, size: u32, isWrite: u32, low: u32, high: u32): u32;

/** The time-stamp counter, where it isn't counted from retired instructions (TSC_RATE = 0). */
// @ts-ignore: decorator
@external("host", "tsc")
export declare function tsc(): f64;

/** An exception is about to be delivered: FAULT_*, RIP and CR2 say which. Only with TELL_EXCEPTIONS. */
// @ts-ignore: decorator
@external("host", "exception")
export declare function exception(): void;
