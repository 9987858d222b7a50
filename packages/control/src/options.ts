import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { type AdmissionConfig, parseAdmissionConfig, UnpinError } from '@unpin/contract';

export interface ControlOptions {
  /** Absolute path of an SQLite file, or the address of a PostgreSQL database, `postgresql://…`. */
  readonly database: string;
  /** TCP port on loopback; 0 lets the system choose. */
  readonly port: number;
  readonly logLevel: string;
  /** What the webhooks answer, and which images others' names lead to. */
  readonly admission: AdmissionConfig;
}

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

/** Whether a database is named by the address of a server. */
export function isPostgres(database: string): boolean {
  return /^postgres(ql)?:/.test(database);
}

/**
 * `[--database FILE] [--port N] [--log-level LEVEL] [--admission FILE]`; USAGE for anything else. Without `--database`, DATABASE_URL names
 * the database: an address with a password has no place on a command line, which everybody can read.
 */
export function parseOptions(args: readonly string[], env: NodeJS.ProcessEnv): ControlOptions {
  const values = parse(args);
  const database = values.database ?? env['DATABASE_URL'] ?? '';
  if (database === '')
    throw usage('--database', 'nothing', 'a file name, or in DATABASE_URL the address of a PostgreSQL database');
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65_535) throw usage('--port', values.port, 'a number from 0 to 65535');
  const logLevel = values['log-level'];
  if (!LEVELS.includes(logLevel)) throw usage('--log-level', logLevel, LEVELS.join(', '));
  return {
    database: isPostgres(database) ? database : resolve(database),
    port,
    logLevel,
    admission: readAdmission(values.admission ?? env['UNPIN_ADMISSION'] ?? ''),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        database: { type: 'string' },
        port: { type: 'string', default: '7070' },
        admission: { type: 'string' },
        'log-level': { type: 'string', default: 'warn' },
      },
    }).values;
  } catch (error) {
    throw new UnpinError('USAGE', { subject: 'unpin-control', found: (error as Error).message, cause: error });
  }
}

function usage(subject: string, found: string, needed: string): UnpinError {
  return new UnpinError('USAGE', { subject, found, needed });
}

/** The operator's admission file, of `--admission` or UNPIN_ADMISSION; CONFIG_INVALID where it can't be read. */
function readAdmission(path: string): AdmissionConfig {
  if (path === '') return {};
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new UnpinError('CONFIG_INVALID', { subject: path, found: String(cause), cause });
  }
  return parseAdmissionConfig(text, path);
}
