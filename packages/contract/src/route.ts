import type { Static, TObject, TSchema } from './schema.ts';

/** One HTTP route: declared once, registered by servers, called by clients, written into OpenAPI. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Fastify syntax: `/v1/vms/:name`. */
  readonly path: string;
  readonly summary: string;
  readonly params?: TObject;
  readonly query?: TObject;
  readonly body?: TSchema;
  readonly reply: TSchema;
  /** Success status, 200 unless said. */
  readonly status?: number;
}

export type Routes = Readonly<Record<string, Route>>;

type Part<R extends Route, K extends 'params' | 'query' | 'body'> = R[K] extends TSchema
  ? { [key in K]: Static<R[K]> }
  : { [key in K]?: undefined };

/** What a call of a route takes. */
export type Call<R extends Route> = Part<R, 'params'> & Part<R, 'query'> & Part<R, 'body'>;

/** What a route answers. */
export type Reply<R extends Route> = Static<R['reply']>;
