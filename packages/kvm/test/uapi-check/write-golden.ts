/** Writes src/uapi/golden/*.json from what gcc says: run it after the table has grown. */
import { writeFileSync } from 'node:fs';
import { askCompiler, goldenPath } from './compile.ts';
import { findCompiler } from './compiler.ts';
import { GROUPS } from './groups.ts';

const compiler = findCompiler();
if (typeof compiler === 'string') throw new Error(compiler);
for (const group of GROUPS)
  writeFileSync(goldenPath(group), `${JSON.stringify(askCompiler(compiler, group), null, 2)}\n`);
