import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { UnpinError } from '@unpin/contract';

export interface ControlOptions {
  /** Absolute path of the database file. */
  readonly database: string;
  /** TCP port on loopback; 0 lets the system choose. */
  readonly port: number;
  readonly logLevel: string;
}

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];

/** `--database FILE [--port N] [--log-level LEVEL]`; USAGE for anything else. */
export function parseOptions(args: readonly string[]): ControlOptions {
  const values = parse(args);
  if (values.database === undefined || values.database === '') throw usage('--database', 'nothing', 'a file name');
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65_535) throw usage('--port', values.port, 'a number from 0 to 65535');
  const logLevel = values['log-level'];
  if (!LEVELS.includes(logLevel)) throw usage('--log-level', logLevel, LEVELS.join(', '));
  return { database: resolve(values.database), port, logLevel };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        database: { type: 'string' },
        port: { type: 'string', default: '7070' },
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
