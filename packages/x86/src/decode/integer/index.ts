import type { LoweringTable } from '../lower.ts';

export const integer: LoweringTable = new Map();
