import type { VerdictMessage } from '@unpin/contract';
import type { AdmissionReason } from '@unpin/policy';
import { findImage } from '../store/images.ts';
import type { Store } from '../store/store.ts';

/** The verdict on an image that another control plane's object led to, or why there is none. */
export type JudgedImage =
  | { readonly kind: 'judged'; readonly image: string; readonly verdict: VerdictMessage }
  | { readonly kind: 'missing'; readonly image?: string; readonly reason: AdmissionReason };

/** Looks an image up as one who may not fail: what stands in the way is a reason. The database's errors are thrown. */
export async function judgedImage(store: Store, name: string): Promise<JudgedImage> {
  const record = await store.read((db) => findImage(db, name));
  if (record === undefined)
    return {
      kind: 'missing',
      image: name,
      reason: missing('image-unknown', `unpin has no image ${name}`, `add it: unpin image add ${name} …`),
    };
  if (record.state === 'ready' && record.verdict !== undefined)
    return { kind: 'judged', image: record.name, verdict: record.verdict };
  const found =
    record.state === 'failed'
      ? `the inspection of ${name} failed: ${record.error?.message ?? 'no reason given'}`
      : `${name} is being inspected`;
  return {
    kind: 'missing',
    image: name,
    reason: missing('image-unjudged', found, `unpin image show ${name}, then try again`),
  };
}

/** The reason where nothing in the object led to an image. */
export function notMapped(seen: readonly string[]): AdmissionReason {
  const found = seen.length === 0 ? 'nothing in it names an image' : `no rule fits ${seen.join(', ')}`;
  return missing(
    'image-not-mapped',
    found.slice(0, 1000),
    "name unpin's image in the annotation unpin.dev/image, or add a rule to admission.images",
  );
}

function missing(code: string, summary: string, remedy: string): AdmissionReason {
  return {
    code,
    outcome: 'unproven',
    says: 'a verdict on what would boot',
    found: { answer: 'unknown', level: 'unknown', summary },
    evidence: [],
    why: 'without a verdict nobody knows what this image can do',
    remedy,
  };
}
