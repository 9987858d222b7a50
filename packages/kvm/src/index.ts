export { openKicker } from './open-kicker.ts';
export * from './port/index.ts';
