/** Integer and control-flow micro-ops. `S` in a name: add the size's log2 (0 byte, 1 word, 2 dword, 3 qword). */

/** The page's code has changed, or nothing was decoded yet: look this instruction up again. Also what cleared memory holds. */
export const OP_RESYNC = 0;
/** Goes on at the micro-op LINK of the same page. */
export const OP_GOTO = 1;
/** The trace ends at the page's end: goes on at PAGE_BASE + IMM. */
export const OP_NEXT_PAGE = 2;
/** The instruction crosses the page's end: checked and decoded by its own rules. */
export const OP_CROSS = 3;
/** Not an instruction (#UD). */
export const OP_UD = 4;
/** The decoder knows it, the engine can't do it. */
export const OP_UNSUPPORTED = 5;
/** Ends a run after an exact number of instructions. */
export const OP_STOP = 6;
/** TMP_EA = address with segment base, address size and wrap: see assembly/address.ts. */
export const OP_EA = 7;
