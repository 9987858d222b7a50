import { UnpinError } from '@unpin/contract';
import type { FastifyInstance } from 'fastify';

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * Loopback asks for no token, so no web page may speak through the browser of someone on this machine: requests must
 * name a loopback host (no DNS rebinding) and, where a browser says it, come from a page of one.
 */
export function loopbackOnly(app: FastifyInstance): void {
  app.addHook('onRequest', async (request) => {
    const origin = request.headers.origin;
    for (const authority of [request.headers.host, origin === undefined ? undefined : authorityOf(origin)])
      if (authority !== undefined && !LOOPBACK.has(authority.replace(/:\d+$/, '').toLowerCase()))
        throw new UnpinError('REQUEST_INVALID', {
          subject: 'request',
          found: `from or for ${authority}`,
          needed: 'a loopback address',
        });
  });
}

function authorityOf(origin: string): string {
  return URL.canParse(origin) ? new URL(origin).host : origin;
}
