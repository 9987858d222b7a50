/**
 * Compiles the decoders of LZMA and LZ4: assembly/ (AssemblyScript) → src/kernel/payload/generated/decoders.ts. What comes
 * out is kept in the repository, so that nobody needs the compiler; a test compares it with a fresh one.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
export const TARGET = join(here, 'src/kernel/payload/generated/decoders.ts');

/** The text of the generated file. */
export async function generate() {
  const { default: asc } = await import('assemblyscript/asc');
  let module;
  const { error } = await asc.main(
    [
      'assembly/index.ts',
      '--baseDir',
      here,
      '--outFile',
      'decoders.wasm',
      '--runtime',
      'stub',
      '--noAssert',
      '--enable',
      'bulk-memory',
      '-O3',
    ],
    {
      stderr: process.stderr,
      writeFile: (_name, contents) => {
        module = contents;
      },
    },
  );
  if (error) throw error;
  return `/** assembly/, compiled: node packages/image/build.mjs. */
export const DECODERS: string =
  '${Buffer.from(module).toString('base64')}';
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(dirname(TARGET), { recursive: true });
  writeFileSync(TARGET, await generate());
}
