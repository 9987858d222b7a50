import type { LoweringTable } from '../lower.ts';
import { floats } from './floats.ts';
import { integers } from './integers.ts';
import { moves } from './moves.ts';

export const sse: LoweringTable = new Map([...moves, ...integers, ...floats]);
