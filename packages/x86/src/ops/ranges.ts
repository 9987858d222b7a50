/** First numbers of the families that the run loop hands to a function of their own. */
export const OP_SSE_FIRST = 0x400;
export const OP_X87_FIRST = 0x600;
export const OP_SYSTEM_FIRST = 0x680;
export const OP_END = 0x700;
