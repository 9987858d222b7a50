import type { LoweringTable } from '../lower.ts';

export const x87: LoweringTable = new Map();
