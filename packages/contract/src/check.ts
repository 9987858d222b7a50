import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';

/** What a value from outside was found to be. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; /** Where, and what is wrong there. */ readonly problem: string };

/** Whether a value fits a schema of this contract, with the first thing that doesn't. Loads the validator. */
export function check<S extends TSchema>(schema: S, value: unknown): Checked<Static<S>> {
  if (Value.Check(schema, value)) return { ok: true, value };
  const [first] = Value.Errors(schema, value);
  return { ok: false, problem: first === undefined ? 'unfit' : `${first.instancePath || '/'}: ${first.message}` };
}
