import type { Registration } from '@unpin/contract';
import { hostActor } from '../http/actor.ts';
import { appendAudit } from '../store/audit.ts';
import { ANY_HOST, appendChange } from '../store/changes.ts';
import { findHost, registerHost } from '../store/hosts.ts';
import { reinspectBuiltIns } from '../store/images.ts';
import type { Db } from '../store/store.ts';

/** An agent takes a host. A VMM of another version brings another probe: then the built-in images are judged again. */
export async function takeRegistration(db: Db, host: string, body: Registration, at: number): Promise<number> {
  const before = await findHost(db, host);
  const epoch = await registerHost(db, host, body, at);
  await appendAudit(db, {
    at,
    actor: hostActor(host),
    action: 'host.register',
    subject: host,
    outcome: 'done',
    detail: { epoch, agent: body.agent, vmm: body.capabilities.vmm },
  });
  // Work for this host: an agent of an earlier epoch that waits for some wakes up, and learns that it is fenced.
  const action = before === undefined ? 'added' : 'changed';
  await appendChange(db, { at, kind: 'host', name: host, action, workFor: host });
  if (before !== undefined && before.capabilities.vmm.version !== body.capabilities.vmm.version)
    for (const name of await reinspectBuiltIns(db))
      await appendChange(db, { at, kind: 'image', name, action: 'changed', workFor: ANY_HOST });
  return epoch;
}
