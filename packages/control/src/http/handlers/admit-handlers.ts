import {
  type AdmitAnswer,
  type AdmitRequest,
  type controlRoutes,
  UnpinError,
  type VerdictMessage,
} from '@unpin/contract';
import type { Handlers } from '@unpin/contract/server';
import { explain, findVmType, vmTypes } from '@unpin/policy';
import { readyImage } from '../../launch/plan-launch.ts';
import type { Services } from '../../services.ts';
import { appendAudit } from '../../store/audit.ts';
import { findImage } from '../../store/images.ts';
import type { Store } from '../../store/store.ts';
import { LOCAL } from '../actor.ts';

/** Decides without creating. Also on types that only others can run: the answer is about the image. */
export function admitHandlers({ store, now }: Services): Pick<Handlers<typeof controlRoutes>, 'admit'> {
  return {
    admit: async ({ body }) => {
      const type = findVmType(body.type);
      if (type === undefined)
        throw new UnpinError('VM_TYPE_UNKNOWN', {
          subject: body.type,
          needed: vmTypes()
            .map((each) => each.id)
            .join(', '),
          next: 'unpin vm-types',
        });
      const verdict = await verdictOf(store, body);
      const answer = {
        ...explain(type, verdict, body.waiver),
        ...(body.image === undefined ? {} : { image: body.image }),
        bootSet: verdict.bootSet.digest,
      } as AdmitAnswer;
      if (body.audit === true) await record(store, now(), body.image ?? verdict.bootSet.digest, answer);
      return answer;
    },
  };
}

async function verdictOf(store: Store, { image, verdict }: AdmitRequest): Promise<VerdictMessage> {
  if ((image === undefined) === (verdict === undefined))
    throw new UnpinError('REQUEST_INVALID', {
      subject: 'admission',
      found: image === undefined ? 'neither image nor verdict' : 'both image and verdict',
      needed: "an image's name or a verdict",
    });
  if (verdict !== undefined) return verdict;
  const name = image ?? '';
  return readyImage(name, await store.read((db) => findImage(db, name))).verdict;
}

async function record(store: Store, at: number, subject: string, answer: AdmitAnswer): Promise<void> {
  const outcome = answer.outcome === 'may' || answer.outcome === 'waived' ? 'done' : 'refused';
  await store.write((db) => appendAudit(db, { at, actor: LOCAL, action: 'admit', subject, outcome, detail: answer }));
}
