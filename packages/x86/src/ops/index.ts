/**
 * Numbers of the micro-ops. Ranges, so that each family's file owns its own: 0x000–0x3ff integer (interpreted inline),
 * 0x400–0x5ff SSE, 0x600–0x67f x87 and MMX, 0x680–0x6ff system.
 */
export * from './integer.ts';
