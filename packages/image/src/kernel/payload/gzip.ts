import { gunzipSync } from 'node:zlib';
import { inflateWith, outputOf } from './zlib-call.ts';

/** gzip (RFC 1952); its own trailer states the size, so nothing was appended by the kernel's build. */
export function unpackGzip(payload: Uint8Array, size: number): Uint8Array {
  return inflateWith('gzip payload', size, () => gunzipSync(payload, outputOf(size)));
}
