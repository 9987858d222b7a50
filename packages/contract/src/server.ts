import type { FastifyInstance } from 'fastify';
import type { ErrorBody } from './errors/error-body.ts';
import { UnpinError } from './errors/unpin-error.ts';
import type { Call, Reply, Route, Routes } from './route.ts';

/** A handler for each route of a table. `signal` fires when the caller goes away. */
export type Handlers<R extends Routes> = {
  readonly [K in keyof R]: (call: Call<R[K]>, context: { readonly signal: AbortSignal }) => Promise<Reply<R[K]>>;
};

/** Registers every route of a table on a Fastify server, with the catalogue's errors for all that can go wrong. */
export function registerRoutes<R extends Routes>(app: FastifyInstance, routes: R, handlers: Handlers<R>): void {
  for (const name of Object.keys(routes) as (keyof R & string)[]) {
    const route: Route = routes[name] as R[typeof name];
    const handler = handlers[name] as (call: unknown, context: { signal: AbortSignal }) => Promise<unknown>;
    app.route({
      method: route.method,
      url: route.path,
      schema: {
        ...(route.params === undefined ? {} : { params: route.params }),
        ...(route.query === undefined ? {} : { querystring: route.query }),
        ...(route.body === undefined ? {} : { body: route.body }),
      },
      handler: async (request, reply) => {
        const gone = new AbortController();
        reply.raw.once('close', () => gone.abort());
        const { params, query, body } = request;
        const answer = await handler({ params, query, body }, { signal: gone.signal });
        return reply.code(route.status ?? 200).send(answer);
      },
    });
  }
}

/** One error form for all servers of unpin. */
export function useCatalogueErrors(app: FastifyInstance): void {
  app.setErrorHandler(async (error, _request, reply) => {
    const known = toUnpinError(error);
    return reply.code(known.httpStatus).send(known.toBody() satisfies ErrorBody);
  });
  app.setNotFoundHandler(async (request, reply) => {
    const error = new UnpinError('NOT_FOUND', { subject: `${request.method} ${request.url}` });
    return reply.code(404).send(error.toBody());
  });
}

function toUnpinError(error: unknown): UnpinError {
  if (error instanceof UnpinError) return error;
  if (error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number' && error.statusCode < 500)
    return new UnpinError('REQUEST_INVALID', { subject: 'request', found: error.message });
  return UnpinError.from(error);
}
