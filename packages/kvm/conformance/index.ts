export type { BackendRef } from './backend-ref.ts';
export type { Outcome, OutcomeStatus } from './outcome.ts';
export * from './report.ts';
export type { Rule } from './rule.ts';
export { NoKvm, runSuite, type SuiteOptions } from './run.ts';
