export * from './decide.ts';
export * from './observe.ts';
export * from './probation.ts';
export * from './regime.ts';
export * from './verdict.ts';
export * from './vm-type.ts';
export * from './vm-types.ts';
export * from './way.ts';
