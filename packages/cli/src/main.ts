#!/usr/bin/env node
import module from 'node:module';

// The compile cache makes the second start of every command faster; it is a hint and may fail silently.
module.enableCompileCache();

// A reader that goes away (`unpin … | head`) ends the command; it is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

const { runProgram } = await import('./program.ts');
process.exitCode = await runProgram(process.argv.slice(2));
