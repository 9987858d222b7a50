/** The variables of an os-release text, as a unified kernel carries it (os-release(5)). Never fails. */
export function readOsRelease(text: string): ReadonlyMap<string, string> {
  const variables = new Map<string, string>();
  for (const line of text.replace(/\0.*$/s, '').split('\n')) {
    const [, name, raw = ''] = /^\s*([A-Za-z0-9_]+)=(.*?)\s*$/s.exec(line) ?? [];
    if (name !== undefined) variables.set(name, raw.replace(/^"(.*)"$/s, '$1').replace(/^'(.*)'$/s, '$1'));
  }
  return variables;
}
