import type { Rule } from './rule.ts';

/** The suite's own rules. */
export const SUITE_RULES: string = import.meta.resolve('./rules/index.ts');

/** Imports a module that exports `rules`. TypeError where it doesn't, or where an id comes twice. */
export async function importRules(module: string): Promise<readonly Rule[]> {
  const { rules } = (await import(module)) as { readonly rules?: readonly Rule[] };
  if (!Array.isArray(rules)) throw new TypeError(`${module} exports no rules`);
  const ids = new Set<string>();
  for (const { id } of rules as readonly Rule[]) {
    if (ids.has(id)) throw new TypeError(`rule '${id}' is there twice`);
    ids.add(id);
  }
  return rules;
}
