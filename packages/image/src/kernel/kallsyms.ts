import type { Elf64 } from './elf.ts';
import { findAddresses } from './kallsyms/addresses.ts';
import { findNames } from './kallsyms/names.ts';
import { KallsymsTable, type SymbolTable } from './kallsyms/symbol-table.ts';
import { findTokenTables } from './kallsyms/token-table.ts';

export type { AddressEncoding } from './kallsyms/addresses.ts';
export type { SymbolAtAddress, SymbolTable } from './kallsyms/symbol-table.ts';

/**
 * Decodes the symbol table that a kernel carries for its own messages (CONFIG_KALLSYMS), without any other symbols:
 * the tables are recognised by their shape, and accepted only where all of them agree.
 * @returns undefined where there is none, or none of a known shape
 */
export function decodeKallsyms(elf: Elf64): SymbolTable | undefined {
  const highest = elf.segments.filter(({ vaddr }) => vaddr >> 31n === 0x1ffffffffn);
  const starts = highest.map(({ vaddr }) => Number(vaddr & 0xffffffffn));
  const ends = highest.map(({ vaddr, memsz }) => Number(vaddr & 0xffffffffn) + memsz);
  if (highest.length === 0) return undefined;
  const kernel = { start: Math.min(...starts), end: Math.max(...ends) };
  for (const { vaddr, bytes } of highest)
    for (const table of findTokenTables(bytes)) {
      const names = findNames(bytes, table);
      if (names === undefined) continue;
      const addresses = findAddresses(bytes, Number(vaddr & 0xffffffffn), table, names, kernel);
      if (addresses !== undefined) return new KallsymsTable(bytes, table.tokens, names, addresses);
    }
  return undefined;
}
