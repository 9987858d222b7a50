export { decodeLz4 } from './lz4';
export { decodeLzma } from './lzma';
