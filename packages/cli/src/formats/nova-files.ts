import { UnpinError } from '@unpin/contract/errors';
import type { NovaProperties } from '@unpin/policy';

export interface NovaImageFile {
  readonly id?: string;
  readonly name?: string;
  readonly properties: NovaProperties;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * An image's properties as they are found: Glance's image (properties beside id and name), what `openstack image show
 * -f json` prints (properties in an object of their own), or the bare properties. USAGE for anything else.
 */
export function novaImageOf(value: unknown, path: string): NovaImageFile {
  const image = object(value, path);
  const nested = image['properties'];
  const properties =
    nested === undefined ? image : { ...topProperties(image), ...object(nested, `${path}: properties`) };
  const { id, name } = image;
  return {
    ...(typeof id === 'string' ? { id } : {}),
    ...(typeof name === 'string' ? { name } : {}),
    properties,
  };
}

/**
 * A flavor's extra specs as they are found: Nova's flavor (`extra_specs`), in its envelope or bare; what `openstack flavor
 * show -f json` prints (`properties`, an object, or of older clients a text `a='b', c='d'`); or the bare extra specs.
 */
export function novaFlavorOf(
  value: unknown,
  path: string,
): { readonly name?: string; readonly extra_specs: NovaProperties } {
  const outer = object(value, path);
  const flavor = outer['flavor'] === undefined ? outer : object(outer['flavor'], `${path}: flavor`);
  const { name, properties } = flavor;
  const specs = flavor['extra_specs'] ?? properties;
  const named = typeof name === 'string' ? { name } : {};
  if (typeof specs === 'string') return { ...named, extra_specs: pairsOf(specs) };
  return { ...named, extra_specs: specs === undefined ? flavor : object(specs, `${path}: extra_specs`) };
}

/** Glance has the properties that Nova reads beside the image's own fields, whatever a client nests. */
function topProperties(image: Json): Json {
  return Object.fromEntries(Object.entries(image).filter(([name]) => /^(hw_|os_|trait:)/.test(name)));
}

function pairsOf(text: string): Json {
  return Object.fromEntries(
    [...text.matchAll(/([\w:.-]+)='([^']*)'/g)].map(([, name = '', value = '']): [string, string] => [name, value]),
  );
}

function object(value: unknown, where: string): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new UnpinError('USAGE', {
    subject: where,
    found: Array.isArray(value) ? 'a list' : typeof value,
    needed: 'a JSON object',
  });
}
