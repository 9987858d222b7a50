import { setTimeout as sleep } from 'node:timers/promises';
import type { ByteSource } from './byte-source.ts';
import { readBody } from './http-body.ts';
import { HttpFailure, unreadable } from './http-error.ts';
import { conditionsOf, differenceOf, type HttpPin, parseContentRange } from './http-pin.ts';
import { type HttpTarget, publicName, redirected, targetOf } from './http-target.ts';
import { checkRead } from './most-at-once.ts';

export interface HttpOptions {
  /** Sent to the address's own origin and no other one: `authorization`, say. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How long an answer's head, and each part of its body, may take, in milliseconds. 15,000 unless said. */
  readonly timeout?: number;
  /** How often a request is asked again after a failure that may pass. 4 unless said. */
  readonly retries?: number;
  /** The pause before the first retry, in milliseconds; it doubles. 200 unless said. */
  readonly backoff?: number;
}

export interface HttpSource extends ByteSource {
  /** The server says neither ETag nor Last-Modified: a change that keeps the size would not be seen. */
  readonly pinned: boolean;
}

/** Browsers follow 20; what serves images needs two or three. */
const MOST_REDIRECTS = 5;
/** A server that sends less, in bytes a second, counts as one that doesn't answer. */
const SLOWEST = 2 ** 14;
/** Into how many parts connections that break may divide one read. */
const MOST_PARTS = 8;
/** The longest pause a server may ask for, in milliseconds. */
const LONGEST_WAIT = 10_000;
/** What a signed address answers once it has expired. */
const EXPIRED = new Set([401, 403, 404, 410]);

/**
 * A file on a web server, read by ranges (RFC 9110, 14). The first answer's ETag or Last-Modified is held to: a file
 * that changes meanwhile is an error, not a mixture. Reads are sent as they come: put `cachedSource` on top, with
 * blocks of 64 KiB and more.
 * @throws FormatError unreadable, with the reason: no ranges, no such file, no answer, changed meanwhile
 */
export async function openHttpSource(address: string, options: HttpOptions = {}): Promise<HttpSource> {
  const name = publicName(address);
  let origin: HttpTarget;
  try {
    origin = targetOf(address, options.headers ?? {});
  } catch (cause) {
    throw unreadable(name, 0, messageOf(cause));
  }
  const reader = new RangeReader(name, origin, options);
  const pin = await reader.open();
  return {
    name,
    size: pin.size,
    pinned: pin.etag !== null || pin.lastModified !== null,
    read: async (offset, length) => {
      checkRead(name, pin.size, offset, length);
      return length === 0 ? new Uint8Array(0) : reader.read(offset, length);
    },
  };
}

class RangeReader {
  readonly #name: string;
  readonly #origin: HttpTarget;
  readonly #timeout: number;
  readonly #retries: number;
  readonly #backoff: number;
  /** Where redirects led the last time. */
  #target: HttpTarget;
  #pin: HttpPin | undefined;

  constructor(name: string, origin: HttpTarget, options: HttpOptions) {
    this.#name = name;
    this.#origin = origin;
    this.#target = origin;
    this.#timeout = options.timeout ?? 15_000;
    this.#retries = options.retries ?? 4;
    this.#backoff = options.backoff ?? 200;
  }

  /** Asks for the first byte, to learn the size and whether ranges are served: some servers know no HEAD. */
  async open(): Promise<HttpPin> {
    await this.#insist(0, () => this.#range(0, 1));
    if (this.#pin === undefined) throw unreadable(this.#name, 0, 'did not say how large the file is');
    return this.#pin;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const first = await this.#insist(offset, () => this.#range(offset, length));
    if (first.length === length) return first;
    const out = Buffer.allocUnsafeSlow(length);
    out.set(first);
    let parts = 1;
    for (let done = first.length; done < length; parts++) {
      if (parts === MOST_PARTS) throw unreadable(this.#name, offset, 'the connection breaks again and again');
      const from = done;
      const part = await this.#insist(offset + from, () => this.#range(offset + from, length - from));
      out.set(part, done);
      done += part.length;
    }
    return out;
  }

  /** Asks until it is answered, or an answer is final, or it was asked often enough. */
  async #insist(offset: number, ask: () => Promise<Uint8Array>): Promise<Uint8Array> {
    for (let attempt = 0; ; attempt++)
      try {
        return await ask();
      } catch (cause) {
        if (!(cause instanceof HttpFailure)) throw cause;
        if (!cause.again || attempt >= this.#retries)
          throw unreadable(
            this.#name,
            offset,
            attempt === 0 ? cause.message : `${cause.message} (${attempt + 1} times)`,
          );
        await sleep(Math.min(LONGEST_WAIT, Math.max(cause.waitAtLeast, this.#backoff * 2 ** attempt)));
      }
  }

  /** One request. @returns the bytes from `offset` on: one at least, `length` at most */
  async #range(offset: number, length: number): Promise<Uint8Array> {
    const range = `bytes=${offset}-${offset + length - 1}`;
    // With a range, fetch itself asks for no packing of the answer.
    const response = await this.#follow({ range, ...conditionsOf(this.#pin) });
    try {
      if (response.status === 416 && this.#pin === undefined) return this.#empty(response);
      const served = this.#checkHead(response, offset, length);
      const deadline = Date.now() + this.#timeout + Math.ceil((served * 1000) / SLOWEST);
      const bytes = await readBody(response, served, this.#timeout, deadline);
      if (bytes.length === 0) throw new HttpFailure('sends an answer without its body', true);
      return bytes;
    } finally {
      if (!response.bodyUsed) await response.body?.cancel().catch(() => undefined);
    }
  }

  /** A file without a byte has no range to serve. */
  #empty(response: Response): Uint8Array {
    if (response.headers.get('content-range') !== 'bytes */0') throw new HttpFailure('answers 416', false);
    this.#pin = { size: 0, etag: response.headers.get('etag'), lastModified: response.headers.get('last-modified') };
    return new Uint8Array(0);
  }

  /** @returns how many bytes the answer holds */
  #checkHead(response: Response, offset: number, length: number): number {
    const { status, headers } = response;
    if (status === 412) throw changed('the server refuses its earlier state');
    if (status === 200 && this.#pin === undefined)
      throw new HttpFailure('the server sends whole files only, no ranges: fetch the file first', false);
    if (status === 200 || status === 416) throw changed(`the server answers ${status} to a range that it had`);
    if (status === 429 || status >= 500)
      throw new HttpFailure(`the server answers ${status}`, true, retryAfter(headers));
    if (status !== 206) throw new HttpFailure(`the server answers ${status}`, false);
    const encoding = headers.get('content-encoding');
    if (encoding !== null && encoding !== 'identity')
      throw new HttpFailure(`the server packs its answer (${encoding}): its ranges are not of the file`, false);
    const range = parseContentRange(headers.get('content-range'));
    if (range === undefined || range.first !== offset || range.last >= offset + length)
      throw new HttpFailure('the server sends another range than it was asked for', false);
    const now = { size: range.size, etag: headers.get('etag'), lastModified: headers.get('last-modified') };
    const difference = this.#pin && differenceOf(this.#pin, now);
    if (difference !== undefined) throw changed(difference);
    this.#pin ??= now;
    return range.last - range.first + 1;
  }

  async #follow(headers: Readonly<Record<string, string>>): Promise<Response> {
    // Where an earlier redirect led may have expired: then, once, it is asked for again.
    let mayExpire = this.#target !== this.#origin;
    for (let hops = 0; ; ) {
      const response = await this.#send(this.#target, headers);
      const { status } = response;
      const moved = status >= 300 && status < 400 && status !== 304;
      const expired = mayExpire && EXPIRED.has(status);
      if (!moved && !expired) return response;
      await response.body?.cancel().catch(() => undefined);
      if (expired) {
        mayExpire = false;
        this.#target = this.#origin;
        continue;
      }
      hops++;
      if (hops > MOST_REDIRECTS) throw new HttpFailure(`redirects more than ${MOST_REDIRECTS} times`, false);
      this.#target = redirected(this.#target, response.headers.get('location'));
    }
  }

  async #send(target: HttpTarget, headers: Readonly<Record<string, string>>): Promise<Response> {
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(), this.#timeout);
    try {
      return await fetch(target.url, {
        headers: { ...target.headers, ...headers },
        redirect: 'manual',
        signal: stop.signal,
      });
    } catch (cause) {
      const detail = stop.signal.aborted ? `no answer within ${this.#timeout} ms` : reasonOf(cause);
      throw new HttpFailure(`${target.url.origin}: ${detail}`, true);
    } finally {
      clearTimeout(timer);
    }
  }
}

function changed(how: string): HttpFailure {
  return new HttpFailure(`the file changed while it was read: ${how}`, false);
}

/** Retry-After in milliseconds; its form as a date is left to the backoff. */
function retryAfter(headers: Headers): number {
  const text = headers.get('retry-after') ?? '';
  return /^\d{1,6}$/.test(text) ? Number(text) * 1000 : 0;
}

/** fetch hides the reason in the cause. */
function reasonOf(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error ? error.cause.message : messageOf(error);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
