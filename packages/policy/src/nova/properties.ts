/** String pairs as Nova has them: image properties, or a flavor's extra specs. Values are strings, booleans or numbers. */
export type NovaProperties = Readonly<Record<string, unknown>>;

/** A property's text, or undefined where it is not set or is no plain value. */
export function novaText(properties: NovaProperties, name: string): string | undefined {
  const value = Object.hasOwn(properties, name) ? properties[name] : undefined;
  if (typeof value === 'string') return value.trim();
  return typeof value === 'boolean' || typeof value === 'number' ? String(value) : undefined;
}

/**
 * A property as OpenStack reads a boolean: `true`, `t`, `yes`, `y`, `on` and `1` in any case are true, all else is false;
 * undefined where it is not set.
 */
export function novaBoolean(properties: NovaProperties, name: string): boolean | undefined {
  const text = novaText(properties, name);
  return text === undefined ? undefined : ['true', 't', 'yes', 'y', 'on', '1'].includes(text.toLowerCase());
}
