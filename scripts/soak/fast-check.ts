/** fast-check with more runs and one seed for all: what property tests get in a soak. */
import * as fc from 'fast-check';

export * from 'fast-check';

const factor = Number(process.env['UNPIN_SOAK_FACTOR'] ?? '20');
const seed = Number(process.env['UNPIN_SOAK_SEED'] ?? '1');
/** fast-check's own number of runs where a test names none. */
const USUAL_RUNS = 100;

/** A longer assert: the test's own number of runs, times the factor, from the soak's seed. */
export function assert<T>(property: fc.IRawProperty<T>, parameters: fc.Parameters<T> = {}): Promise<void> | void {
  const numRuns = (parameters.numRuns ?? USUAL_RUNS) * factor;
  return fc.assert(property, { ...parameters, numRuns, seed });
}
