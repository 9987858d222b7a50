import type { LoweringTable } from '../lower.ts';

export const sse: LoweringTable = new Map();
