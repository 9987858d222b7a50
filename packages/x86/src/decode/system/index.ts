import type { LoweringTable } from '../lower.ts';

export const system: LoweringTable = new Map();
