import { Client } from 'pg';
import { connectionConfig } from './pool.ts';

/** The channel on which commits that added to the change log say its new head. */
export const CHANNEL = 'unpin_changes';

const RETRY_MS = 500;

export interface Listener {
  close(): Promise<void>;
}

/**
 * Hears what other replicas commit. A notification is a doorbell and no news: one that is lost while the connection is
 * gone is made up for by `again`, once it is back.
 */
export async function listen(
  url: string,
  heard: (revision: number) => void,
  again: () => Promise<void>,
): Promise<Listener> {
  let closed = false;
  let client: Client | undefined;
  let retry: NodeJS.Timeout | undefined;

  const later = (): void => {
    if (closed || retry !== undefined) return;
    retry = setTimeout(() => {
      retry = undefined;
      connect().then(again).catch(later);
    }, RETRY_MS);
    retry.unref();
  };
  const connect = async (): Promise<void> => {
    // It waits for notifications for as long as there are none.
    const fresh = new Client({
      ...connectionConfig(url),
      statement_timeout: 0,
      idle_in_transaction_session_timeout: 0,
    });
    fresh.on('notification', ({ payload }) => heard(Number(payload)));
    fresh.on('error', () => {});
    fresh.once('end', later);
    await fresh.connect();
    if (closed) return await fresh.end();
    client = fresh;
    await fresh.query(`listen ${CHANNEL}`);
  };
  try {
    await connect();
  } catch (error) {
    // Who asked is told; nothing goes on trying behind its back.
    closed = true;
    clearTimeout(retry);
    throw error;
  }
  return {
    async close() {
      closed = true;
      clearTimeout(retry);
      await client?.end();
    },
  };
}
