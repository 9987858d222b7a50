import type { NovaAdmitAnswer, NovaAdmitRequest, WebhookConfig } from '@unpin/contract';
import { explainNova, judgeNova, type NovaImage } from '@unpin/policy';
import { type ImageReference, imageByRules } from '../image-rules.ts';
import { notMapped } from '../judged-image.ts';
import type { ReviewContext } from '../kubevirt/decide-review.ts';

/** Image property by which Glance itself may name unpin's image, as the annotation does in Kubernetes. */
const IMAGE_PROPERTY = 'unpin_image';

/** Decides on an instance: Nova's rules, then the verdict that is handed in or that the image's id or name leads to. */
export async function admitNova(request: NovaAdmitRequest, context: ReviewContext): Promise<NovaAdmitAnswer> {
  const nova = { image: request.image.properties, extraSpecs: request.flavor.extra_specs };
  const wanted = judgeNova(nova).model !== undefined;
  const { name, image } = wanted
    ? await imageOf(request, context)
    : { name: undefined, image: { missing: notMapped([]) } };
  const explained = explainNova(nova, image);
  const { outcome } = explained;
  return {
    ...(explained as Omit<typeof explained, 'reasons'> &
      Pick<NovaAdmitAnswer, 'reasons' | 'alternatives' | 'carrots' | 'warnings' | 'requesters'>),
    allowed:
      outcome === 'may' ||
      outcome === 'waived' ||
      outcome === 'untouched' ||
      (outcome === 'unknown' && context.webhook.unknown === 'allow'),
    ...(name === undefined ? {} : { image: name }),
  };
}

async function imageOf(
  { image, verdict }: NovaAdmitRequest,
  { rules, webhook, find }: ReviewContext,
): Promise<{ readonly name: string | undefined; readonly image: NovaImage }> {
  if (verdict !== undefined) return { name: undefined, image: { verdict } };
  const references: ImageReference[] = [
    ...(image.id === undefined ? [] : [{ from: 'glance-id' as const, name: image.id }]),
    ...(image.name === undefined ? [] : [{ from: 'glance-name' as const, name: image.name }]),
  ];
  const property = Object.hasOwn(image.properties, IMAGE_PROPERTY) ? image.properties[IMAGE_PROPERTY] : undefined;
  const own = typeof property === 'string' && webhook.annotation !== 'ignore' ? property : undefined;
  const name = imageByRules(rules, references)?.image ?? own;
  if (name === undefined)
    return { name, image: { missing: notMapped(references.map((each) => `${each.from} ${each.name}`)) } };
  const found = await find(name);
  return { name, image: found.kind === 'judged' ? { verdict: found.verdict } : { missing: found.reason } };
}

/** What Nova hears where deciding failed. */
export function novaError(problem: string, { onError }: WebhookConfig): NovaAdmitAnswer {
  return {
    allowed: onError === 'allow',
    outcome: 'unknown',
    requesters: [],
    locked: false,
    reasons: [],
    alternatives: [],
    carrots: [],
    warnings: [`no decision: ${problem}`],
  };
}
