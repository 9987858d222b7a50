import { UnpinError } from '@unpin/contract';

/** SQLSTATE classes and codes (PostgreSQL manual, appendix A). */
const DISK_FULL = '53100';
const READ_ONLY = '25006';
const NO_RIGHT = '42501';
/** Connection exceptions; invalid authorization; invalid catalogue name (no such database). */
const CONNECTION = '08';
const AUTHORIZATION = '28';
const NO_DATABASE = '3D';
/** Insufficient resources, operator intervention (shutdown, cannot connect now), statement and lock timeouts. */
const PASSING = ['53', '57', '55P03'];
/** What the system says of a server that isn't there, or went away. */
const SYSTEM = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
/** The driver's own words for a connection that is gone, or was not made in time: these errors have no code. */
const DRIVER =
  /^(Connection terminated|timeout expired|Client has encountered a connection error|timeout exceeded when trying to connect)/;

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Whether the server can't be reached, or is on its way down or up: later the same may succeed. */
export function isUnreachable(error: unknown): boolean {
  const code = codeOf(error);
  if (code === undefined) return error instanceof Error && DRIVER.test(error.message);
  if (code === DISK_FULL) return false;
  return SYSTEM.has(code) || code.startsWith(CONNECTION) || PASSING.some((passing) => code.startsWith(passing));
}

/** Whether the whole transaction is gone, not only a statement of it. */
export function endsTransaction(error: unknown): boolean {
  return isUnreachable(error) || codeOf(error) === DISK_FULL;
}

/** An error of PostgreSQL in the catalogue's words; anything else as it is. @param where without its password */
export function translate(error: unknown, where: string): unknown {
  const code = codeOf(error);
  const found = error instanceof Error ? error.message : String(error);
  if (code === DISK_FULL)
    return new UnpinError('DATABASE_FULL', { subject: where, found, needed: 'room on its disk', cause: error });
  if (isUnreachable(error))
    return new UnpinError('DATABASE_UNREACHABLE', {
      subject: where,
      found,
      needed: 'a PostgreSQL server that answers',
      next: 'try again; what was under way may or may not have been stored',
      cause: error,
    });
  if (code === READ_ONLY || code === NO_RIGHT || code?.startsWith(AUTHORIZATION) || code?.startsWith(NO_DATABASE))
    return new UnpinError('DATABASE_UNUSABLE', {
      subject: where,
      found,
      needed: 'a database that this user may read and write',
      next: 'name another with DATABASE_URL',
      cause: error,
    });
  return error;
}
