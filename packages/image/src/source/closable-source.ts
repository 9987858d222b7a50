import type { ByteSource } from './byte-source.ts';

/** A source that holds something open: a descriptor, a temporary file. Reads after `close` are `unreadable`. */
export interface ClosableSource extends ByteSource {
  /** May be called again. */
  close(): void;
}

/** Closes what holds something open; other sources have nothing to close. */
export function closeSource(source: ByteSource): void {
  if ('close' in source && typeof source.close === 'function') (source as ClosableSource).close();
}
