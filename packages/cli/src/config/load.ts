import { readFileSync } from 'node:fs';
import { UnpinError } from '@unpin/contract';
import type { GlobalOptions } from '../program.ts';
import { CONFIG_KEYS, type ConfigName } from './keys.ts';

export interface Setting {
  readonly value: string;
  /** `flag --url`, `environment UNPIN_URL`, `file /path`, `default`. */
  readonly origin: string;
}
export type Config = Readonly<Record<ConfigName, Setting>>;

/** Resolves every setting. Unknown keys and wrong types in the file are refused, not ignored. */
export function loadConfig(
  options: GlobalOptions & { readonly listen?: string },
  env: NodeJS.ProcessEnv = process.env,
): Config {
  const path = options.config ?? env['UNPIN_CONFIG'] ?? defaultPath(env);
  const file = readFile(path, options.config !== undefined || env['UNPIN_CONFIG'] !== undefined);
  const flags: Partial<Record<ConfigName, string | undefined>> = {
    url: options.url,
    stateDir: options.stateDir,
    listen: options.listen,
  };
  const settings = CONFIG_KEYS.map(({ key, env: variable, flag, fallback }): [ConfigName, Setting] => {
    const fromFlag = flags[key];
    if (fromFlag !== undefined) return [key, { value: fromFlag, origin: `flag ${flag ?? ''}` }];
    const fromEnv = env[variable];
    if (fromEnv !== undefined && fromEnv !== '') return [key, { value: fromEnv, origin: `environment ${variable}` }];
    const fromFile = file.get(key);
    if (fromFile !== undefined) return [key, { value: fromFile, origin: `file ${path}` }];
    return [key, { value: fallback(env), origin: 'default' }];
  });
  return Object.fromEntries(settings) as Config;
}

function defaultPath(env: NodeJS.ProcessEnv): string {
  return `${env['XDG_CONFIG_HOME'] ?? `${env['HOME'] ?? '/root'}/.config`}/unpin/config.json`;
}

function readFile(path: string, mustExist: boolean): ReadonlyMap<string, string> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const missing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    if (missing && !mustExist) return new Map();
    throw new UnpinError('CONFIG_INVALID', { subject: path, found: String(cause), cause });
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new UnpinError('CONFIG_INVALID', { subject: path, found: String(cause), needed: 'a JSON object', cause });
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new UnpinError('CONFIG_INVALID', { subject: path, needed: 'a JSON object' });
  const known = new Set<string>(CONFIG_KEYS.map((k) => k.key));
  return new Map(
    Object.entries(parsed).map(([key, value]): [string, string] => {
      if (!known.has(key))
        throw new UnpinError('CONFIG_UNKNOWN_KEY', {
          subject: path,
          found: `'${key}'`,
          needed: `one of ${[...known].join(', ')}`,
          next: 'unpin config show --origin',
        });
      if (typeof value !== 'string')
        throw new UnpinError('CONFIG_INVALID', {
          subject: path,
          found: `${key} = ${JSON.stringify(value)}`,
          needed: 'a string',
        });
      return [key, value];
    }),
  );
}
