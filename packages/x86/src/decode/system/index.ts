import type { LoweringTable } from '../lower.ts';
import { plain } from './plain.ts';
import { ports } from './ports.ts';
import { registers } from './registers.ts';
import { tablesAndFar } from './tables-and-far.ts';

export const system: LoweringTable = new Map([...plain, ...ports, ...registers, ...tablesAndFar]);
