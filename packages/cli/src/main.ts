#!/usr/bin/env node
import module from 'node:module';
import { join } from 'node:path';

// The compile cache makes the second start of every command faster; it is a hint and may fail silently. It lies in
// unpin's own cache folder, where a test host finds it too; what this program starts inherits it.
const { env } = process;
const cache = env['UNPIN_CACHE'] ?? join(env['XDG_CACHE_HOME'] ?? join(env['HOME'] ?? '/root', '.cache'), 'unpin');
env['NODE_COMPILE_CACHE'] ??= join(cache, 'compiled');
module.enableCompileCache(env['NODE_COMPILE_CACHE']);

// A reader that goes away (`unpin … | head`) ends the command; it is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const { runProgram } = await import('./program.ts');
process.exitCode = await runProgram(process.argv.slice(2));
