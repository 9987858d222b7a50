import { FAMILIES, type Family, type Form, form } from './form.ts';
import { INTEGER } from './integer.ts';
import { VECTOR } from './vector.ts';

let next = 0;

/** Every row, by family. Families without rows (`control`) are made of sequences.ts alone. */
export const FORMS: ReadonlyMap<Family, readonly Form[]> = new Map(
  FAMILIES.map((family) => {
    const rows = [...(INTEGER[family] ?? []), ...(VECTOR[family] ?? [])];
    return [family, rows.map((text) => form(next++, family, text))];
  }),
);
