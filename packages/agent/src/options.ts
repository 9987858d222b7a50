import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { UnpinError } from '@unpin/contract';

export interface AgentOptions {
  /** The control plane's URL. */
  readonly control: string;
  /** The name that this machine goes by. */
  readonly host: string;
  /** Absolute path; VMs and the agent's socket live below it. */
  readonly stateDir: string;
  /** Absolute path of the VMM program, a file for Node. */
  readonly vmm: string;
  readonly logLevel: string;
}

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'];
const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Bytes that a Unix socket's path may have (sockaddr_un, less its end), and what is appended to the state directory. */
const SOCKET_PATH_MAX = 107;
const LONGEST_SOCKET = '/vms/0123456789ab/console.sock';

/** `--control URL --host NAME --state-dir DIR --vmm PROGRAM [--log-level LEVEL]`; USAGE for anything else. */
export function parseOptions(args: readonly string[]): AgentOptions {
  const values = parse(args);
  const control = required('--control', values.control);
  if (!URL.canParse(control) || new URL(control).protocol !== 'http:')
    throw usage('--control', control, 'a URL such as http://127.0.0.1:7070');
  const host = required('--host', values.host);
  if (!NAME.test(host)) throw usage('--host', host, 'lower-case letters, digits and dashes, at most 63');
  const stateDir = resolve(required('--state-dir', values['state-dir']));
  const room = SOCKET_PATH_MAX - LONGEST_SOCKET.length;
  if (Buffer.byteLength(stateDir) > room)
    throw usage(
      '--state-dir',
      `a path of ${Buffer.byteLength(stateDir)} bytes`,
      `at most ${room}: sockets go below it`,
    );
  const logLevel = values['log-level'];
  if (!LEVELS.includes(logLevel)) throw usage('--log-level', logLevel, LEVELS.join(', '));
  return { control, host, stateDir, vmm: resolve(required('--vmm', values.vmm)), logLevel };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        control: { type: 'string' },
        host: { type: 'string' },
        'state-dir': { type: 'string' },
        vmm: { type: 'string' },
        'log-level': { type: 'string', default: 'warn' },
      },
    }).values;
  } catch (error) {
    throw new UnpinError('USAGE', { subject: 'unpin-agent', found: (error as Error).message, cause: error });
  }
}

function required(option: string, value: string | undefined): string {
  if (value === undefined || value === '') throw usage(option, 'nothing', 'a value');
  return value;
}

function usage(subject: string, found: string, needed: string): UnpinError {
  return new UnpinError('USAGE', { subject, found, needed });
}
