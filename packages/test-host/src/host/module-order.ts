/** The order in which modules go into a kernel: each after all that it depends on. */

/** A dependency that is neither a module nor built in, or modules that depend on each other. */
export class ModuleOrderError extends Error {
  override readonly name = 'ModuleOrderError';
}

/**
 * All of `wanted` and what they need, dependencies first, each once; else in the order asked for.
 * `depends` gives a module's direct dependencies, or undefined for what is no module.
 * What `builtIn` names is left out. Throws ModuleOrderError.
 */
export function moduleOrder(
  wanted: readonly string[],
  depends: (name: string) => readonly string[] | undefined,
  builtIn: (name: string) => boolean,
): string[] {
  const order: string[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const visit = (name: string, path: readonly string[]): void => {
    if (builtIn(name) || state.get(name) === 'done') return;
    const via = [...path, name].join(' → ');
    if (state.get(name) === 'open') throw new ModuleOrderError(`modules depend on each other: ${via}`);
    const needs = depends(name);
    if (needs === undefined) throw new ModuleOrderError(`no such module: ${via}`);
    state.set(name, 'open');
    for (const need of needs) visit(need, [...path, name]);
    state.set(name, 'done');
    order.push(name);
  };
  for (const name of wanted) visit(name, []);
  return order;
}
