import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Compiler } from './compiler.ts';
import { generateC } from './generate-c.ts';
import type { Group } from './groups.ts';

/** What the compiler says of a group. Static: the program asks for no C library of the machine. */
export function askCompiler({ program: gcc }: Compiler, group: Group): unknown {
  const folder = mkdtempSync(join(tmpdir(), 'uapi-'));
  try {
    const source = join(folder, `${group.name}.c`);
    const program = join(folder, group.name);
    writeFileSync(source, generateC(group));
    const args = ['-Wall', '-Werror', '-static', '-I', import.meta.dirname, source, '-o', program];
    execFileSync(gcc, args, { timeout: 60_000 });
    return JSON.parse(execFileSync(program, { timeout: 10_000, encoding: 'utf8' }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Where a group's golden file is. */
export function goldenPath(group: Group): string {
  return join(import.meta.dirname, '../../src/uapi/golden', `${group.name}.json`);
}
