/** The error catalogue alone: without the schemas, so that programs may load it at once. */
export * from './catalogue.ts';
export * from './unpin-error.ts';
