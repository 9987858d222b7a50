// Reading page tables: the processor's own accesses, which under SEV are private whatever the C bit says.
import {
  ACCESS_WALK, ACCESS_WRITE, CODE_OF_FRAME, C_BIT_MASK, EXIT_FILL, FILL_FAULT, FILL_MMIO, FILL_READ_ONLY, WALK_CACHE,
  WALK_CACHE_ENTRIES,
} from "../src/layout";
import { exitAtInstruction } from "./fault";
import { codeWritten, fill } from "./host";

/** `tableAt`: no memory there: its bytes read as ones, as on a bus that nobody answers. */
export const NO_TABLE: u32 = 1;
/** `tableAt`: the run ends (EXIT_* is set). */
export const TABLE_FAULT: u32 = 2;

/** Whether memory is encrypted by this guest at all: then every walk, fetch and unpaged access is private. */
// @ts-ignore: decorator
@inline
export function alwaysEncrypted(): u32 {
  return load<u64>(C_BIT_MASK) ? 1 : 0;
}

/**
 * Host address of the table entry at a GPA, or NO_TABLE or TABLE_FAULT. What the host answered is kept in WALK_CACHE by
 * frame number, its FILL_READ_ONLY in bit 0: the cache is the host's word, so nothing that the guest does empties it.
 */
export function tableAt(gpa: u64, toWrite: bool): u32 {
  if (gpa >> 44) return NO_TABLE;
  const gfn = <u32>(gpa >> 12);
  const slot: u32 = WALK_CACHE + ((gfn & (WALK_CACHE_ENTRIES - 1)) << 3);
  let known: u32 = load<u32>(slot) == gfn + 1 ? load<u32>(slot, 4) : 0;
  if (!known || (toWrite && known & FILL_READ_ONLY)) {
    known = fill(gfn, toWrite ? ACCESS_WALK | ACCESS_WRITE : ACCESS_WALK, alwaysEncrypted());
    if (known == FILL_FAULT) {
      exitAtInstruction(EXIT_FILL);
      return TABLE_FAULT;
    }
    if (known == FILL_MMIO) return NO_TABLE;
    store<u32>(slot, gfn + 1);
    store<u32>(slot, known, 4);
  }
  if (toWrite && known & FILL_READ_ONLY) return NO_TABLE;
  return (known & ~0xfff) | (<u32>gpa & 0xfff);
}

/**
 * Sets bits (accessed, dirty) in the 4 low bytes of the entry at a GPA. An entry in read-only memory stays as it is.
 * False where the run ends. Virtual processors take turns on one thread, so nothing comes between reading and writing.
 */
export function markEntry(gpa: u64, bits: u32): bool {
  const at = tableAt(gpa, true);
  if (at == TABLE_FAULT) return false;
  if (at == NO_TABLE) return true;
  if (load<u32>(CODE_OF_FRAME + ((at & ~0xfff) >> 10))) codeWritten(at & ~0xfff, at & 0xfff, 4);
  store<u32>(at, load<u32>(at) | bits);
  return true;
}
