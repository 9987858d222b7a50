/** What both decoders leave for the host: src/kernel/payload/unpack-memory.ts has the same offsets and numbers. */
export const STATE: usize = 1024;
/** Where a call ended in the input and in the output. */
export const END_POS: usize = STATE + 36;
export const END_DST: usize = STATE + 40;
/** Of a match that leads too far: its distance. */
export const DISTANCE: usize = STATE + 48;

/** Results of a call. */
export const DONE: i32 = 0;
/** The input ends in the middle. */
export const CUT: i32 = 1;
/** A match leads before what it may reach. */
export const TOO_FAR: i32 = 2;
/** The output is full. */
export const TOO_LONG: i32 = 3;
