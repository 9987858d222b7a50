import type { AdmissionReviewAnswer, WebhookConfig } from '@unpin/contract';
import type { AdmissionReason } from '@unpin/policy';
import type { Decided, ReviewDecision } from './decide-review.ts';

type Response = AdmissionReviewAnswer['response'];
type Status = NonNullable<Response['status']>;

/** Longer warnings may be cut by the API server, and all together it drops beyond 4,096 characters. */
const WARNING = 256;
const WARNINGS = 4096;
const MESSAGE = 4096;

/** The decision as the API server takes it. What is unknown goes by the operator's choice. Pure. */
export function answerReview(uid: string, decision: ReviewDecision, webhook: WebhookConfig): AdmissionReviewAnswer {
  switch (decision.kind) {
    case 'untouched':
      return review({
        uid,
        allowed: true,
        ...warnings(decision.warnings),
        auditAnnotations: { decision: 'untouched' },
      });
    case 'malformed':
      return refused(uid, { code: 422, reason: 'Invalid', message: decision.problem }, { decision: 'malformed' });
    case 'too-large':
      return refused(
        uid,
        { code: 413, reason: 'RequestEntityTooLarge', message: `the object is ${decision.problem}` },
        { decision: 'too-large' },
      );
    case 'decided':
      return decided(uid, decision, webhook);
  }
}

/** What the API server hears where deciding failed. */
export function answerError(uid: string, problem: string, { onError }: WebhookConfig): AdmissionReviewAnswer {
  const message = `no decision: ${problem}`;
  return onError === 'allow'
    ? review({
        uid,
        allowed: true,
        ...warnings([`unpin: ${message}; let through`]),
        auditAnnotations: { decision: 'error' },
      })
    : refused(uid, { code: 503, reason: 'ServiceUnavailable', message }, { decision: 'error' });
}

function decided(uid: string, decision: Decided, webhook: WebhookConfig): AdmissionReviewAnswer {
  const { outcome } = decision;
  const auditAnnotations = annotations(decision);
  const through = outcome === 'may' || outcome === 'waived' || (outcome === 'unknown' && webhook.unknown === 'allow');
  if (!through) return refused(uid, { code: 403, reason: 'Forbidden', message: messageOf(decision) }, auditAnnotations);
  const said = [
    ...(outcome === 'unknown' ? [`unpin: let through unjudged: ${messageOf(decision)}`] : []),
    ...(outcome === 'waived' ? [`unpin: let through on a waiver: ${messageOf(decision)}`] : []),
    ...decision.warnings,
    ...decision.carrots.map(({ type, gains }) => `unpin: as ${type} this image would gain: ${gains.join(', ')}`),
  ];
  return review({ uid, allowed: true, ...warnings(said), auditAnnotations });
}

/** Every reason that stands in the way, with its code and what would mend it. */
function messageOf({ asked, image, outcome, reasons, carrots, warnings: more }: Decided): string {
  const subject = image === undefined ? 'what it boots' : `image ${image}`;
  const verb = outcome === 'may-not' ? 'may not run' : 'is not known to run';
  const others = carrots.map(({ type }) => type);
  return [
    `${subject} ${verb} as ${asked}`,
    ...reasons.filter((reason) => reason.outcome !== 'met').map(reasonText),
    ...(others.length === 0 ? [] : [`it may run as ${others.join(', ')}`]),
    ...more.map((warning) => warning.replace(/^unpin: /, '')),
  ].join('; ');
}

function reasonText({ code, says, found, remedy }: AdmissionReason): string {
  return `[${code}] needs: ${says}; found: ${found.summary} (${found.level}); to mend it: ${remedy}`;
}

function annotations({ outcome, asked, image, imageFrom, bootSet, reasons }: Decided): Record<string, string> {
  const codes = reasons.filter((reason) => reason.outcome !== 'met').map(({ code }) => code);
  return Object.fromEntries(
    Object.entries({
      decision: outcome,
      type: asked,
      image,
      'image-from': imageFrom,
      'boot-set': bootSet,
      reasons: codes.join(','),
    })
      .filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== '')
      .map(([key, value]) => [key, clean(value, 512)]),
  );
}

function refused(uid: string, status: Status, auditAnnotations: Record<string, string>): AdmissionReviewAnswer {
  const message = clean(`unpin: ${status.message}`, MESSAGE);
  return review({ uid, allowed: false, status: { ...status, message }, auditAnnotations });
}

function warnings(texts: readonly string[]): { warnings?: string[] } {
  const kept: string[] = [];
  let left = WARNINGS;
  for (const text of texts.map((each) => clean(each, WARNING))) {
    left -= text.length;
    if (left >= 0) kept.push(text);
  }
  return kept.length === 0 ? {} : { warnings: kept };
}

/** Names in it are strangers' words, and warnings become HTTP headers: one line of printable characters. */
function clean(text: string, most: number): string {
  const printable = text.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ');
  return printable.length <= most ? printable : `${printable.slice(0, most - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

function review(response: Response): AdmissionReviewAnswer {
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response };
}
