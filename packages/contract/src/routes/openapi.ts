import { ErrorBody } from '../errors/error-body.ts';
import type { Route, Routes } from '../route.ts';

type Json = Record<string, unknown>;

/** The OpenAPI 3.1 document of route tables: TypeBox schemas are JSON Schema, so that it says what servers check. */
export function openApiDocument(info: { title: string; version: string }, ...tables: readonly Routes[]): Json {
  const paths: Record<string, Json> = {};
  for (const table of tables)
    for (const [name, route] of Object.entries(table)) {
      const path = route.path.replace(/:([a-zA-Z]+)/g, '{$1}');
      paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(name, route) };
    }
  const document = { openapi: '3.1.0', info, paths, components: { schemas: { Error: ErrorBody } } };
  return JSON.parse(JSON.stringify(document)) as Json;
}

function operation(name: string, route: Route): Json {
  const parameters = [...parametersOf('path', route.params), ...parametersOf('query', route.query)];
  return {
    operationId: name,
    summary: route.summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === undefined ? {} : { requestBody: { required: true, ...content(route.body) } }),
    responses: {
      [String(route.status ?? 200)]: { description: 'Done', ...content(route.reply) },
      default: { description: 'An error of the catalogue', ...content({ $ref: '#/components/schemas/Error' }) },
    },
  };
}

function parametersOf(where: 'path' | 'query', schema: Route['params']): Json[] {
  if (schema === undefined) return [];
  const required: readonly string[] = schema.required ?? [];
  return Object.entries(schema.properties).map(([name, property]) => ({
    name,
    in: where,
    required: required.includes(name),
    schema: property,
  }));
}

function content(schema: unknown): Json {
  return { content: { 'application/json': { schema } } };
}
