/** Which state of a file is being read: every further answer must be of the same one. */
export interface HttpPin {
  /** In bytes. */
  readonly size: number;
  /** As the server wrote it; null where it gave none. */
  readonly etag: string | null;
  readonly lastModified: string | null;
}

/** Headers that make the server refuse (412) if the file is another one by now (RFC 9110, 13.1). */
export function conditionsOf(pin: HttpPin | undefined): Record<string, string> {
  if (pin === undefined) return {};
  // A weak validator can't stand in If-Match: it would never match.
  if (pin.etag !== null && !pin.etag.startsWith('W/')) return { 'if-match': pin.etag };
  return pin.lastModified === null ? {} : { 'if-unmodified-since': pin.lastModified };
}

/** What differs between two states, undefined if nothing does. Servers may ignore conditions. */
export function differenceOf(before: HttpPin, now: HttpPin): string | undefined {
  if (before.size !== now.size) return `it had ${before.size} bytes and now has ${now.size}`;
  if (before.etag !== now.etag) return 'its ETag is another one';
  if (before.etag === null && before.lastModified !== now.lastModified) return 'its Last-Modified is another one';
  return undefined;
}

/** Content-Range of an answer to one range (RFC 9110, 14.4); undefined where it can't be read or tells no size. */
export function parseContentRange(text: string | null): { first: number; last: number; size: number } | undefined {
  const match = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16})$/.exec(text?.trim() ?? '');
  if (match === null) return undefined;
  const [first = -1, last = -1, size = -1] = match.slice(1).map(Number);
  const fits = Number.isSafeInteger(size) && first <= last && last < size;
  return fits ? { first, last, size } : undefined;
}
