/** The table of the image set. */
import { type Recipe } from './build.ts';
import { CASE_ROWS } from './case-rows.ts';
import { COVERING_ROWS } from './covering-rows.ts';
import { kernel } from './kernels.ts';
import type { Row } from './row.ts';

export const ROWS: readonly Row[] = [...COVERING_ROWS, ...CASE_ROWS];

/** How a row's image is made. */
export function recipeOf({ id, format, kernels, disk }: Row): Recipe {
  return { id, format, disk: disk(kernels.map(kernel)) };
}
