import { controlRoutes, hostRoutes, openApiDocument, webhookRoutes } from '@unpin/contract';
import { registerRoutes, useCatalogueErrors } from '@unpin/contract/server';
import { type FastifyBaseLogger, type FastifyInstance, fastify } from 'fastify';
import type { Services } from '../services.ts';
import { VERSION } from '../version.ts';
import { admitHandlers } from './handlers/admit-handlers.ts';
import { fleetHandlers } from './handlers/fleet-handlers.ts';
import { healthHandlers } from './handlers/health-handlers.ts';
import { hostHandlers } from './handlers/host-handlers.ts';
import { imageHandlers } from './handlers/image-handlers.ts';
import { vmHandlers } from './handlers/vm-handlers.ts';
import { vmJournalHandlers } from './handlers/vm-journal-handlers.ts';
import { vmTraceHandlers } from './handlers/vm-trace-handlers.ts';
import { vmTypeHandlers } from './handlers/vm-type-handlers.ts';
import { loopbackOnly } from './loopback-only.ts';
import { registerWebhooks } from './webhooks.ts';

/** The OpenAPI document of the control plane. */
export function controlOpenApi(): Record<string, unknown> {
  return openApiDocument({ title: 'unpin control plane', version: VERSION }, controlRoutes, hostRoutes, webhookRoutes);
}

/** The control plane's HTTP server, not yet listening. */
export function buildApp(services: Services): FastifyInstance {
  const loggerInstance: FastifyBaseLogger = services.log;
  const app = fastify({
    loggerInstance,
    forceCloseConnections: true,
    bodyLimit: 1_048_576,
  });
  loopbackOnly(app);
  useCatalogueErrors(app);
  registerRoutes(app, controlRoutes, {
    ...healthHandlers(services),
    ...vmTypeHandlers(services),
    ...admitHandlers(services),
    ...imageHandlers(services),
    ...vmHandlers(services),
    ...vmJournalHandlers(services),
    ...vmTraceHandlers(services),
    ...fleetHandlers(services),
  });
  registerRoutes(app, hostRoutes, hostHandlers(services));
  registerWebhooks(app, services);
  const document = controlOpenApi();
  app.get('/openapi.json', async () => document);
  return app;
}
