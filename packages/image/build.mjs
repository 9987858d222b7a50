/**
 * Compiles the LZMA decoder: assembly/lzma.ts (AssemblyScript) → src/kernel/payload/generated/lzma-module.ts. What comes
 * out is kept in the repository, so that nobody needs the compiler; a test compares it with a fresh one.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
export const TARGET = join(here, 'src/kernel/payload/generated/lzma-module.ts');

/** The text of the generated file. */
export async function generate() {
  const { default: asc } = await import('assemblyscript/asc');
  let module;
  const { error } = await asc.main(
    ['assembly/lzma.ts', '--baseDir', here, '--outFile', 'lzma.wasm', '--runtime', 'stub', '--noAssert', '-O3'],
    {
      stderr: process.stderr,
      writeFile: (_name, contents) => {
        module = contents;
      },
    },
  );
  if (error) throw error;
  return `/** assembly/lzma.ts, compiled: node packages/image/build.mjs. */
export const LZMA_MODULE: string =
  '${Buffer.from(module).toString('base64')}';
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(dirname(TARGET), { recursive: true });
  writeFileSync(TARGET, await generate());
}
