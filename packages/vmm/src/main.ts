#!/usr/bin/env node
import module from 'node:module';
import { dirname } from 'node:path';

// Compiled code is kept between runs (Node's compile cache), also for Workers, which only look at the environment.
module.enableCompileCache();
const cache = module.getCompileCacheDir();
if (cache !== undefined) process.env['NODE_COMPILE_CACHE'] ??= dirname(cache);

const { program } = await import('./process/program.ts');
process.exitCode = await program(process.argv.slice(2));
