/**
 * Programs of a closure as ones that anybody can start: for each a script in the folder `run` that starts it with the
 * closure's own loader and libraries. The scripts find their folder by themselves: it may be moved.
 */
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { UnpinError } from '@unpin/contract/errors';
import { runtimeOf } from './runtime.ts';
import { findFile } from './unpack.ts';

export interface Launcher {
  /** The program, relative to the folder: the first that matches. */
  readonly program: RegExp;
  /** Words of a shell that come before the caller's; `$root` is the folder. */
  readonly arguments?: string;
  /** Variables that name the program's own files, which it would else look for on the machine; `$root` is the folder. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Other programs start it beside themselves: the program moves to `.real`, and a launcher stands in its place too. */
  readonly beside?: boolean;
}

/** The folder of launchers, relative to the asset's. */
export const LAUNCHER_FOLDER = 'run';

/** Whether an asset that was unpacked by an older version has all launchers that there are now. */
export function hasLaunchers(folder: string, launchers: Readonly<Record<string, Launcher>>): boolean {
  return Object.keys(launchers).every((name) => existsSync(join(folder, LAUNCHER_FOLDER, name)));
}

/** Writes a launcher for each name. Throws ASSET_UNAVAILABLE where a program or the loader is not there. */
export function writeLaunchers(folder: string, launchers: Readonly<Record<string, Launcher>>, subject: string): void {
  const entries = Object.entries(launchers);
  if (entries.length === 0) return;
  const runtime = runtimeOf(folder);
  if (runtime === undefined) throw new UnpinError('ASSET_UNAVAILABLE', { subject, found: 'no loader in its packages' });
  mkdirSync(join(folder, LAUNCHER_FOLDER), { recursive: true });
  const inside = (path: string): string => `$root/${relative(folder, path)}`;
  for (const [name, { program, arguments: first, environment = {}, beside = false }] of entries) {
    const found = findFile(folder, program, subject);
    const real = beside ? `${found}.real` : found;
    const variables = Object.entries(environment).map(([variable, value]) => `export ${variable}="${value}"\n`);
    const script = (up: string) => `#!/bin/sh
root=$(CDPATH= cd -- "\${0%/*}/${up}" && pwd) || exit 127
${variables.join('')}exec "${inside(runtime.loader)}" --library-path "${runtime.libraries.map(inside).join(':')}" \\
  "$root/${real}" ${first === undefined ? '' : `${first} `}"$@"
`;
    writeFileSync(join(folder, LAUNCHER_FOLDER, name), script('..'), { mode: 0o755 });
    if (!beside) continue;
    renameSync(join(folder, found), join(folder, real));
    writeFileSync(join(folder, found), script(relative(dirname(found), '')), { mode: 0o755 });
  }
}
