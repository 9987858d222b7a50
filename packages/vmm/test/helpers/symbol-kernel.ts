import { elfImage } from '../../../image/test/synthetic/elf-image.ts';
import { kallsymsTables } from '../../../image/test/synthetic/kallsyms-tables.ts';

/** Where it is linked; entered at the same place behind the kernel's map. */
const TEXT = 0xffffffff81000000n;
const FUNCTION_BYTES = 32;
/** As few symbols as a table is still told apart from other bytes by. */
const FUNCTIONS = 3000;

/** An ELF that passes for a Linux kernel with a symbol table: `function_0` at its entry runs the given code. */
export function symbolKernel(code: Uint8Array): Uint8Array {
  const symbols = Array.from({ length: FUNCTIONS }, (_, n) => ({
    address: TEXT + BigInt(n * FUNCTION_BYTES),
    type: 'T',
    name: `function_${n}`,
  }));
  const text = Buffer.alloc(FUNCTIONS * FUNCTION_BYTES, 0x90);
  text.set(code);
  text.write('Linux version 6.99.0-test (nobody@nowhere) #1\n\0', 0x800, 'latin1');
  const bytes = Buffer.concat([text, kallsymsTables(symbols, 'after', 'relative', TEXT + BigInt(text.length), 8)]);
  return elfImage([{ name: '.text', vaddr: TEXT, bytes, segmentFlags: 7 }], { entry: 0x100_0000 });
}
