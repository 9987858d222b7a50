/** A JSON column's value, undefined for null. The text is our own, checked when it came in: callers name its type. */
export function parsed(text: string | null): unknown {
  return text === null ? undefined : JSON.parse(text);
}

export function text(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}
