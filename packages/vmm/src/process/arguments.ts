import { parseArgs } from 'node:util';
import { UnpinError } from '@unpin/contract/errors';

/** What the program was asked to do. */
export type Request =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'capabilities'; readonly json: boolean }
  | {
      readonly kind: 'run';
      readonly dir: string;
      /** A file's path, or `-` for standard input. */
      readonly order: string;
      readonly withParent: boolean;
    };

export const HELP = `unpin-vmm: one virtual machine, one process

  unpin-vmm --capabilities [--json]     what this machine can run, each fact found by asking it
  unpin-vmm --dir DIR --order FILE|-    runs one VM by a launch order (JSON)

  --dir DIR        where the VM's sockets are made: api.sock (HTTP) and console.sock (bytes)
  --order FILE     the launch order; - reads it from standard input
  --with-parent    the VM ends when standard input closes; with --order - the order is its first line
  --version, --help

Prints one JSON object a line: {"ready": …} when api.sock listens, and a last line {"ending": …, "figures": …}.
Exit status: 0 the guest switched off, reset or was stopped; 64 and above as docs/errors.md lists them.
`;

const OPTIONS = {
  help: { type: 'boolean' },
  version: { type: 'boolean' },
  capabilities: { type: 'boolean' },
  json: { type: 'boolean' },
  dir: { type: 'string' },
  order: { type: 'string' },
  'with-parent': { type: 'boolean' },
} as const;

/** @throws UnpinError USAGE */
export function parseArguments(argv: readonly string[]): Request {
  const values = parse(argv);
  if (values.help === true) return { kind: 'help' };
  if (values.version === true) return { kind: 'version' };
  if (values.capabilities === true) return { kind: 'capabilities', json: values.json === true };
  const { dir, order } = values;
  if (dir === undefined || dir === '') throw usage('a directory with --dir');
  if (order === undefined || order === '') throw usage('a launch order with --order');
  return { kind: 'run', dir, order, withParent: values['with-parent'] === true };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, strict: true }).values;
  } catch (cause) {
    throw new UnpinError('USAGE', {
      subject: 'unpin-vmm',
      found: cause instanceof Error ? cause.message : String(cause),
      next: 'unpin-vmm --help',
      cause,
    });
  }
}

function usage(needed: string): UnpinError {
  return new UnpinError('USAGE', { subject: 'unpin-vmm', needed, next: 'unpin-vmm --help' });
}
