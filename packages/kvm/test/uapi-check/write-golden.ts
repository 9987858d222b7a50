/** Writes src/uapi/golden/*.json from what gcc says: run it after the table has grown. */
import { writeFileSync } from 'node:fs';
import { askCompiler, goldenPath } from './compile.ts';
import { GROUPS } from './groups.ts';

for (const group of GROUPS) writeFileSync(goldenPath(group), `${JSON.stringify(askCompiler(group), null, 2)}\n`);
