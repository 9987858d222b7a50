import { UnpinError } from '@unpin/contract';
import { sql } from 'kysely';
import { headRevision } from '../changes.ts';
import { Doorbell } from '../doorbell.ts';
import { GroupCommit } from '../group-commit.ts';
import { migrate } from '../migrate.ts';
import type { Store } from '../store.ts';
import { Writes } from '../writes.ts';
import { endsTransaction, isUnreachable, translate } from './failure.ts';
import { CHANNEL, listen } from './listener.ts';
import { queriesOver } from './pool.ts';

/**
 * The advisory lock that makes a transaction the only writer of all replicas: `unpn` in ASCII. So revisions of the
 * change log are committed in their order, and what a transaction has looked at stays so until it ends. It costs
 * nothing but a turn: writers come in groups.
 */
const WRITER = 0x756e706e;

/**
 * Opens a PostgreSQL database and brings it to this version's schema; any number of replicas may. Durable as the server
 * is set up (`synchronous_commit`). DATABASE_UNREACHABLE, DATABASE_UNUSABLE, DATABASE_TOO_NEW where that cannot be.
 * @param url as DATABASE_URL has it: `postgresql://user:password@host/database`
 */
export async function openPostgres(url: string): Promise<Store> {
  const where = withoutPassword(url);
  // An idle connection that was lost is replaced when it is needed.
  const queries = queriesOver(url, () => {});
  const doorbell = new Doorbell();
  const ring = async (): Promise<void> => doorbell.ring(await headRevision(queries));
  try {
    await migrate(queries, where);
    await ring();
    const listener = await listen(url, (revision) => doorbell.ring(revision), ring);
    const commits = new GroupCommit(queries, doorbell, {
      begin: (db) => sql`select pg_advisory_xact_lock(${WRITER})`.execute(db),
      // Told by the server if the commit is made, and only then.
      announce: (db, head) => sql`select pg_notify(${CHANNEL}, ${String(head)})`.execute(db),
      endsTransaction,
    });
    const writes = new Writes(commits, (error) => translate(error, where));

    const reading = <T>(body: Parameters<Store['read']>[0]): Promise<T> =>
      queries.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(body) as Promise<T>;
    return {
      where,
      doorbell,
      state: writes.state,
      write: writes.write,
      async read(body) {
        try {
          return await reading(body);
        } catch (error) {
          if (!isUnreachable(error)) throw translate(error, where);
        }
        // The server may have been started again since: a read can be asked twice.
        return await reading<Awaited<ReturnType<typeof body>>>(body).catch((error: unknown) => {
          throw translate(error, where);
        });
      },
      async close() {
        await commits.idle();
        await listener.close();
        await queries.destroy();
      },
    };
  } catch (error) {
    await queries.destroy();
    throw translate(error, where);
  }
}

/** An address for people and logs. @throws UnpinError USAGE for what is none */
function withoutPassword(url: string): string {
  if (!URL.canParse(url))
    throw new UnpinError('USAGE', {
      subject: 'DATABASE_URL',
      found: 'no address',
      needed: 'postgresql://user:password@host/database',
    });
  const shown = new URL(url);
  shown.password = '';
  return shown.href;
}
