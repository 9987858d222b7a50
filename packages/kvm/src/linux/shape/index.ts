export { chooseCBit, physicalWidth } from './c-bit.ts';
export * from './cpuid.ts';
export * from './msrs.ts';
