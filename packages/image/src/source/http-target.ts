import { HttpFailure } from './http-error.ts';

/** Where a request goes, and the credentials that may go there. */
export interface HttpTarget {
  /** Without user and password: fetch refuses those in an address. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

/** @throws HttpFailure where it is no HTTP address */
export function targetOf(address: string, headers: Readonly<Record<string, string>>): HttpTarget {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url === undefined || !isHttp(url)) throw new HttpFailure('is no http or https address', false);
  if (url.username === '' && url.password === '') return { url, headers };
  const basic = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  url.username = '';
  url.password = '';
  return { url, headers: { authorization: `Basic ${Buffer.from(basic).toString('base64')}`, ...headers } };
}

/**
 * Where a redirect leads. What was given for one origin goes to no other one, and nothing that was asked for over TLS
 * is taken from elsewhere.
 * @throws HttpFailure
 */
export function redirected(from: HttpTarget, location: string | null): HttpTarget {
  const url = location !== null && URL.canParse(location, from.url) ? new URL(location, from.url) : undefined;
  if (url === undefined) throw new HttpFailure(`redirects to ${location ?? 'nowhere'}`, false);
  if (!isHttp(url)) throw new HttpFailure(`redirects to a ${url.protocol} address`, false);
  if (from.url.protocol === 'https:' && url.protocol !== 'https:')
    throw new HttpFailure(`redirects from https to ${url.origin}`, false);
  url.username = '';
  url.password = '';
  return { url, headers: url.origin === from.url.origin ? from.headers : {} };
}

/** An address for people and logs: without user, password and query, which may hold a signature. */
export function publicName(address: string): string {
  if (!URL.canParse(address)) return address;
  const url = new URL(address);
  return `${url.protocol}//${url.host}${url.pathname}`;
}

function isHttp(url: URL): boolean {
  return url.protocol === 'http:' || url.protocol === 'https:';
}
