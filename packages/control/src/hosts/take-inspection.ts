import { type InspectionResult, UnpinError } from '@unpin/contract';
import { hostActor } from '../http/actor.ts';
import { appendAudit } from '../store/audit.ts';
import { appendChange } from '../store/changes.ts';
import { fencedHost } from '../store/hosts.ts';
import { judgeImage } from '../store/images.ts';
import type { Db } from '../store/store.ts';

export interface InspectionReceived {
  readonly host: string;
  readonly epoch: number;
  readonly image: string;
  readonly result: InspectionResult;
  readonly at: number;
}

/** Takes what an agent found in an image. Late, or second: dropped without a word, for the first one counts. */
export async function takeInspection(db: Db, received: InspectionReceived): Promise<void> {
  const { host, image, result, at } = received;
  await fencedHost(db, host, received.epoch);
  if ((result.verdict === undefined) === (result.error === undefined))
    throw new UnpinError('REQUEST_INVALID', {
      subject: `inspection of ${image}`,
      needed: 'either a verdict or an error',
    });
  const { verdict, error, generation } = result;
  if (!(await judgeImage(db, image, { host, generation, at, verdict, error }))) return;
  await appendAudit(db, {
    at,
    actor: hostActor(host),
    action: 'image.verdict',
    subject: image,
    outcome: 'done',
    detail: verdict === undefined ? { error } : { bootSet: verdict.bootSet, inspector: verdict.inspector },
  });
  await appendChange(db, { at, kind: 'image', name: image, action: 'changed' });
}
