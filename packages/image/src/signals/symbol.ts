import type { Evidence } from '@unpin/policy';
import type { SignalInput } from './signal.ts';

/** A symbol of the kernel's own table, as evidence; undefined where there is no table or no such symbol. */
export function findSymbol(input: SignalInput, name: string): Evidence | undefined {
  const address = input.symbols?.lookup(name);
  if (address === undefined) return undefined;
  return { signal: 'symbol', where: 'kallsyms', seen: `${name} at 0x${address.toString(16)}` };
}

/** The first of several names that the symbol table has: kernels rename. */
export function findAnySymbol(input: SignalInput, names: readonly string[]): Evidence | undefined {
  for (const name of names) {
    const found = findSymbol(input, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** That a symbol is missing from a table that decodes, as evidence. */
export function missingSymbol(input: SignalInput, name: string): Evidence | undefined {
  if (input.symbols === undefined || input.symbols.lookup(name) !== undefined) return undefined;
  return { signal: 'no-symbol', where: 'kallsyms', seen: `${name} is not among ${input.symbols.size} symbols` };
}
