import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { ErrorBody } from './errors/error-body.ts';
import { UnpinError } from './errors/unpin-error.ts';
import type { Call, Reply, Route, Routes } from './route.ts';

/** Where a server listens: a TCP URL, or a Unix socket's path. */
export type Target = { readonly url: string } | { readonly socketPath: string };

export type Client<R extends Routes> = {
  readonly [K in keyof R]: (call: Call<R[K]>, options?: CallOptions) => Promise<Reply<R[K]>>;
};

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds without an answer after which the call fails; 30,000 unless said. */
  readonly timeoutMs?: number;
}

/** A typed client for a route table. Errors arrive as UnpinError; no server there is SERVER_UNREACHABLE. */
export function createClient<R extends Routes>(routes: R, target: Target): Client<R> {
  const entries = Object.entries(routes).map(([name, route]) => [
    name,
    (call: LooseCall, options: CallOptions = {}) => perform(route, target, call, options),
  ]);
  return Object.fromEntries(entries) as Client<R>;
}

interface LooseCall {
  readonly params?: Record<string, unknown>;
  readonly query?: Record<string, unknown>;
  readonly body?: unknown;
}

async function perform(route: Route, target: Target, call: LooseCall, options: CallOptions): Promise<unknown> {
  const path = fillPath(route.path, call.params ?? {}) + queryString(call.query ?? {});
  const { status, text } = await send(route.method, target, path, call.body, options);
  const answer: unknown = text === '' ? undefined : parse(text, target);
  if (status >= 400) throw UnpinError.fromBody(answer as ErrorBody);
  return answer;
}

function send(
  method: string,
  target: Target,
  path: string,
  body: unknown,
  options: CallOptions,
): Promise<{ status: number; text: string }> {
  const payload = body === undefined ? undefined : JSON.stringify(body);
  const base = 'url' in target ? new URL(path, target.url) : undefined;
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      {
        method,
        ...(base === undefined
          ? { socketPath: 'socketPath' in target ? target.socketPath : '', path, host: 'localhost' }
          : { host: base.hostname, port: base.port, path: base.pathname + base.search }),
        headers:
          payload === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) },
        timeout: options.timeoutMs ?? 30_000,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      },
      (response) => {
        collect(response).then((text) => resolve({ status: response.statusCode ?? 500, text }), reject);
      },
    );
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', (cause) => reject(unreachable(target, cause, options.signal)));
    request.end(payload);
  });
}

async function collect(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function parse(text: string, target: Target): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UnpinError('SERVER_UNREACHABLE', { subject: where(target), found: 'an answer that is not JSON', cause });
  }
}

function unreachable(target: Target, cause: Error, signal: AbortSignal | undefined): Error {
  if (signal?.aborted === true) return cause;
  return new UnpinError('SERVER_UNREACHABLE', {
    subject: where(target),
    found: cause.message,
    next: 'unpin up',
    cause,
  });
}

function where(target: Target): string {
  return 'url' in target ? target.url : target.socketPath;
}

function fillPath(path: string, params: Record<string, unknown>): string {
  return path.replace(/:([a-zA-Z]+)/g, (_, key: string) => encodeURIComponent(String(params[key])));
}

function queryString(query: Record<string, unknown>): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined);
  if (pairs.length === 0) return '';
  return `?${new URLSearchParams(pairs.map(([key, value]) => [key, String(value)])).toString()}`;
}
