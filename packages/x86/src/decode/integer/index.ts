import type { LoweringTable } from '../lower.ts';
import { arithmetic } from './arithmetic.ts';
import { bits } from './bits.ts';
import { control } from './control.ts';
import { flags } from './flags.ts';
import { moves } from './moves.ts';
import { shifts } from './shifts.ts';
import { stack } from './stack.ts';
import { strings } from './strings.ts';

/** General-purpose instructions. What they share with the system's (MOV CR0, PUSH FS, far jumps) is the system's. */
export const integer: LoweringTable = new Map([
  ...arithmetic,
  ...bits,
  ...control,
  ...flags,
  ...moves,
  ...shifts,
  ...stack,
  ...strings,
]);
