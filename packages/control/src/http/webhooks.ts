import { UnpinError, webhookRoutes } from '@unpin/contract';
import { registerRoutes } from '@unpin/contract/server';
import type { FastifyInstance } from 'fastify';
import type { Services } from '../services.ts';
import { webhookHandlers } from './handlers/webhook-handlers.ts';

/**
 * Bytes of the largest review. The API server takes objects of 3 MiB, sends the old one along on an update, and writes
 * `<`, `>` and `&` as six characters: nothing that it lets through is turned away here, for then its failurePolicy and
 * not the operator's choice would decide.
 */
const REVIEW_BYTES = 40 * 1_048_576;

/**
 * The routes that other control planes call. Their bodies hold strangers' objects: keys such as `__proto__` are data
 * like all others, and must not end in an error that a failurePolicy turns into a yes.
 */
export function registerWebhooks(app: FastifyInstance, services: Services): void {
  app.register(async (scope) => {
    scope.removeContentTypeParser('application/json');
    scope.addContentTypeParser(
      'application/json',
      { parseAs: 'string', bodyLimit: REVIEW_BYTES },
      async (_: unknown, text: string) => {
        try {
          return JSON.parse(text) as unknown;
        } catch (cause) {
          throw new UnpinError('REQUEST_INVALID', { subject: 'request', found: 'no JSON', cause });
        }
      },
    );
    registerRoutes(scope, webhookRoutes, webhookHandlers(services));
  });
}
