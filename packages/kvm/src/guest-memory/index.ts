export * from './lie.ts';
export * from './model.ts';
