/** Inspections by a process of their own: for who must not load the parsers, and must not be harmed by an image. */
export { inspectionError } from '../inspect/inspection-error.ts';
export { type ExtractedBoot, extractBoot } from './extract-boot.ts';
export {
  type ConfinedOptions,
  type ImageAnswer,
  type ImageRequest,
  inspectConfined,
  inspectMany,
  type ManyOptions,
} from './inspect-confined.ts';
export { type ConfinedLimits, DEFAULT_LIMITS } from './limits.ts';
