import type { Ending, ErrorBody } from '@unpin/contract';
import { CATALOGUE, type ErrorCode, isErrorCode } from '@unpin/contract/errors';
import type { MachineEnding } from '../machine/messages.ts';
import { type Naming, placeOf } from './record.ts';

/** How the process ends: what it says, and its exit status. */
export interface Outcome {
  readonly state: 'ended' | 'failed';
  readonly ending: Ending;
  /** Absent where the guest ended as it may. */
  readonly error?: ErrorBody;
  readonly exitCode: number;
}

/** What the console tells about an ending that the machine alone cannot tell apart. */
export interface LastWords {
  readonly lines: readonly string[];
}

const PANIC = /Kernel panic - not syncing:? ?(.*)/;

/** What a machine's ending means to the outside. A reset after a kernel's panic is a crash. Pure. */
export function outcomeOf(name: string, how: MachineEnding, words: LastWords, nameOf: Naming): Outcome {
  switch (how.reason) {
    case 'power-off':
      return fine(how.reason, how.detail);
    case 'reboot': {
      const panic = words.lines.map((line) => PANIC.exec(line)?.[0]).findLast((found) => found !== undefined);
      return panic === undefined ? fine(how.reason, how.detail) : bad(name, 'crashed', 'GUEST_CRASHED', panic);
    }
    case 'crashed':
    case 'lie':
      return bad(name, how.reason, 'GUEST_CRASHED', `${how.detail} at ${spell(how.rip, nameOf)}`);
    case 'requested':
      switch (how.stop) {
        case 'stopped':
          return fine('stopped');
        case 'timeout':
          return bad(name, 'timeout', 'GUEST_TIMEOUT', `still running at ${spell(how.rip, nameOf)}`);
        case 'stuck':
          return bad(name, 'stuck', 'GUEST_STUCK', `no progress at ${spell(how.rip, nameOf)}`);
      }
    // Every inner case returns; the compiler knows, a reader should too.
    // falls through
    case 'failed':
      return {
        state: 'failed',
        ending: { reason: 'failed', detail: how.error.message },
        error: how.error,
        exitCode: isErrorCode(how.error.code) ? CATALOGUE[how.error.code].exit : CATALOGUE.INTERNAL.exit,
      };
  }
}

function fine(reason: string, detail?: string): Outcome {
  return { state: 'ended', ending: { reason, ...(detail === undefined ? {} : { detail }) }, exitCode: 0 };
}

function bad(name: string, reason: string, code: ErrorCode, detail: string): Outcome {
  return {
    state: 'ended',
    ending: { reason, detail },
    error: { code, message: `${name}: ${CATALOGUE[code].means} (${detail})`, subject: name, found: detail },
    exitCode: CATALOGUE[code].exit,
  };
}

function spell(rip: bigint, nameOf: Naming): string {
  const { rip: hex, symbol } = placeOf(rip, nameOf);
  return symbol === undefined ? `RIP ${hex}` : `RIP ${hex} (${symbol})`;
}
