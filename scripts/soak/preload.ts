/** Loaded before each test file of a soak: 'fast-check' becomes the one with more runs. */
import { registerHooks } from 'node:module';

const longer = new URL('./fast-check.ts', import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    return specifier === 'fast-check' && context.parentURL !== longer
      ? next(longer, context)
      : next(specifier, context);
  },
});
