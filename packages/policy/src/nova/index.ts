export * from './explain-nova.ts';
export * from './judge-nova.ts';
export * from './models.ts';
export * from './properties.ts';
