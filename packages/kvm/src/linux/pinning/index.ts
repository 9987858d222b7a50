export { GRANULE_BYTES } from './granule-filler.ts';
export * from './on-fault.ts';
