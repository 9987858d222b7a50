import { FormatError } from '../../format-error.ts';
import type { ByteSource } from '../../source/byte-source.ts';

/** Registries refuse manifests above 4 MiB. */
const MOST_BYTES = 2 ** 22;

/** A JSON document of an image. @throws FormatError malformed, over-budget */
export async function readJson(source: ByteSource): Promise<unknown> {
  if (source.size > MOST_BYTES)
    throw new FormatError('over-budget', source.name, 0, `a document of ${source.size} bytes, at most ${MOST_BYTES}`);
  const bytes = Buffer.from(await source.read(0, source.size));
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch (cause) {
    throw new FormatError('malformed', source.name, 0, cause instanceof Error ? cause.message : String(cause));
  }
}

/** A field of an object; undefined where it has none, or there is no object. */
export function field(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;
}

export function textField(value: unknown, key: string): string | undefined {
  const found = field(value, key);
  return typeof found === 'string' ? found : undefined;
}

/** Empty where it is no list. */
export function listField(value: unknown, key: string): readonly unknown[] {
  const found = field(value, key);
  return Array.isArray(found) ? found : [];
}
