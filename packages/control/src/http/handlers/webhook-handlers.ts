import { UnpinError, type WebhookConfig, type webhookRoutes } from '@unpin/contract';
import type { Handlers } from '@unpin/contract/server';
import { judgedImage } from '../../admission/judged-image.ts';
import { answerError, answerReview } from '../../admission/kubevirt/answer.ts';
import { decideReview, type ReviewDecision } from '../../admission/kubevirt/decide-review.ts';
import { type Review, reviewOf } from '../../admission/kubevirt/review.ts';
import { admitNova, novaError } from '../../admission/nova/admit-nova.ts';
import type { Services } from '../../services.ts';
import { appendAudit } from '../../store/audit.ts';

/** Longest wait for the database, in milliseconds: less than what the API server waits for this answer. */
const DECIDE_MS = 5_000;

/** Answers for control planes that create their VMs themselves. */
export function webhookHandlers(services: Services): Handlers<typeof webhookRoutes> {
  const { store, log, admission = {} } = services;
  const rules = admission.images ?? [];
  const find = (image: string) => judgedImage(store, image);
  return {
    reviewKubevirt: async ({ body }) => {
      const webhook = chosen(admission.webhook);
      const review = reviewOf(body.request);
      try {
        const decision = await inTime(decideReview(review, { webhook, rules, find }));
        const answer = answerReview(review.uid, decision, webhook);
        if (webhook.audit === true && !answer.response.allowed && !review.dryRun)
          await record(services, review, decision);
        return answer;
      } catch (error) {
        log.error({ err: error, uid: review.uid, subject: review.subject }, 'webhook: no decision');
        return answerError(review.uid, UnpinError.from(error).message, webhook);
      }
    },

    admitNova: async ({ body }) => {
      const webhook = chosen(admission.webhook);
      try {
        return await inTime(admitNova(body, { webhook, rules, find }));
      } catch (error) {
        log.error({ err: error, image: body.image.id }, 'webhook: no decision');
        return novaError(UnpinError.from(error).message, webhook);
      }
    },
  };
}

/** The operator's choice. Nobody guesses it: WEBHOOK_NOT_CONFIGURED where there is none. */
function chosen(webhook: WebhookConfig | undefined): WebhookConfig {
  if (webhook !== undefined) return webhook;
  throw new UnpinError('WEBHOOK_NOT_CONFIGURED', {
    subject: 'admission.webhook',
    found: 'nothing',
    needed: 'unknown and onError, each refuse or allow',
    next: 'see docs/admission.md',
  });
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new UnpinError('DATABASE_UNREACHABLE', { subject: `no answer in ${DECIDE_MS / 1000} s` })),
    DECIDE_MS,
  );
  try {
    return await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** A refusal stands whether or not it could be recorded. */
async function record({ store, log, now }: Services, review: Review, decision: ReviewDecision): Promise<void> {
  const { kind, operation, subject, user } = review;
  const detail = { kind, operation, user, decision };
  try {
    await store.write((db) =>
      appendAudit(db, {
        at: now(),
        actor: 'kubernetes',
        action: 'admit.kubevirt',
        subject,
        outcome: 'refused',
        detail,
      }),
    );
  } catch (error) {
    log.error({ err: error, uid: review.uid }, 'webhook: a refusal could not be recorded');
  }
}
