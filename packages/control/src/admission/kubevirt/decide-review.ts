import type { AdmissionConfig, WebhookConfig } from '@unpin/contract';
import {
  type AdmissionReason,
  type Carrot,
  type Explanation,
  explain,
  outcomeOfReasons,
  tdxReason,
  type VmTypeId,
  vmType,
} from '@unpin/policy';
import { type ImageReference, imageByRules } from '../image-rules.ts';
import { type JudgedImage, notMapped } from '../judged-image.ts';
import { field, isFields, MalformedObject } from './fields.ts';
import type { Asked } from './launch-security.ts';
import { tooMuch } from './limits.ts';
import type { Review } from './review.ts';
import { IMAGE_ANNOTATION, sameQuestion, type VirtualMachine, virtualMachineOf } from './virtual-machine.ts';

export type ReviewDecision =
  /** Nothing that this webhook has a say in. */
  | { readonly kind: 'untouched'; readonly why: string; readonly warnings: readonly string[] }
  /** Not an object that KubeVirt could run; refused whatever the operator chose for what is unknown. */
  | { readonly kind: 'malformed'; readonly problem: string }
  | { readonly kind: 'too-large'; readonly problem: string }
  | Decided;

export interface Decided {
  readonly kind: 'decided';
  readonly outcome: Explanation['outcome'];
  readonly asked: VmTypeId | 'tdx';
  readonly image: string | undefined;
  /** `annotation`, or the reference that a rule fitted. */
  readonly imageFrom: string | undefined;
  readonly bootSet: string | undefined;
  readonly reasons: readonly AdmissionReason[];
  readonly carrots: readonly Carrot[];
  readonly warnings: readonly string[];
}

export interface ReviewContext {
  readonly webhook: WebhookConfig;
  readonly rules: NonNullable<AdmissionConfig['images']>;
  readonly find: (image: string) => Promise<JudgedImage>;
}

/** Types that KubeVirt can run: it is no use to promise more. */
const KUBEVIRT_TYPES: ReadonlySet<string> = new Set<VmTypeId>(['sev', 'sev-es', 'sev-snp']);

/** What a webhook makes of a request. Throws only what looking up the image throws. */
export async function decideReview(review: Review, context: ReviewContext): Promise<ReviewDecision> {
  const { kind, operation, subResource } = review;
  if (kind === undefined) return untouched('no VirtualMachine or VirtualMachineInstance of kubevirt.io');
  if (operation !== 'CREATE' && operation !== 'UPDATE') return untouched(`operation ${operation || '?'}`);
  if (subResource !== '') return untouched(`subresource ${subResource}`);
  // Before anything that could be wrong with it: nothing may stop the finalizers of what is going away.
  if (operation === 'UPDATE' && isGoing(review.object)) return untouched('it is being deleted');
  try {
    const machine = virtualMachineOf(kind, review.object, review.namespace);
    if (machine.asked === undefined) return untouched('no launchSecurity', warningsOfPlain(machine));
    const problem = tooMuch(review.object);
    if (problem !== undefined) return { kind: 'too-large', problem };
    if (operation === 'UPDATE' && isSameAsBefore(review, machine))
      return untouched('what it boots, and as what, stays');
    return await decideMachine(machine, machine.asked, context);
  } catch (error) {
    if (error instanceof MalformedObject) return { kind: 'malformed', problem: error.message };
    throw error;
  }
}

function untouched(why: string, warnings: readonly string[] = []): ReviewDecision {
  return { kind: 'untouched', why, warnings };
}

function isGoing(object: unknown): boolean {
  const metadata = isFields(object) ? field(object, 'metadata') : undefined;
  return isFields(metadata) && field(metadata, 'deletionTimestamp') !== undefined;
}

/** Whether an update leaves alone what was decided on; an old object that can't be read decides nothing. */
function isSameAsBefore({ kind, oldObject, namespace }: Review, machine: VirtualMachine): boolean {
  if (kind === undefined) return false;
  try {
    return sameQuestion(virtualMachineOf(kind, oldObject, namespace), machine);
  } catch (error) {
    if (error instanceof MalformedObject) return false;
    throw error;
  }
}

function warningsOfPlain({ hasInstancetype }: VirtualMachine): readonly string[] {
  return hasInstancetype
    ? ['unpin: if its instancetype adds launchSecurity, its VirtualMachineInstance is what will be judged']
    : [];
}

async function decideMachine(machine: VirtualMachine, asked: Asked, context: ReviewContext): Promise<Decided> {
  const named = imageOf(machine, context);
  const found: JudgedImage =
    named === undefined
      ? { kind: 'missing', reason: notMapped(machine.boot.references.map(shown)) }
      : await context.find(named.image);
  const explained = explainAsked(asked, found);
  return {
    kind: 'decided',
    asked: asked.kind === 'tdx' ? 'tdx' : asked.type,
    image: found.image,
    imageFrom: named?.from,
    bootSet: found.kind === 'judged' ? found.verdict.bootSet.digest : undefined,
    ...explained,
    carrots: explained.carrots.filter(({ type }) => KUBEVIRT_TYPES.has(type)),
    warnings: warningsOf(machine, named),
  };
}

interface NamedImage {
  readonly image: string;
  readonly from: string;
}

/** The operator's rules come first: an annotation is its writer's word alone. */
function imageOf(machine: VirtualMachine, { rules, webhook }: ReviewContext): NamedImage | undefined {
  const hit = imageByRules(rules, machine.boot.references);
  if (hit !== undefined) return { image: hit.image, from: shown(hit.reference) };
  if (machine.annotation === undefined || webhook.annotation === 'ignore') return undefined;
  return { image: machine.annotation, from: 'annotation' };
}

function shown({ from, name, namespace }: ImageReference): string {
  return `${from} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

function explainAsked(asked: Asked, found: JudgedImage): Pick<Explanation, 'outcome' | 'reasons' | 'carrots'> {
  if (found.kind === 'missing') return { outcome: 'unknown', reasons: [found.reason], carrots: [] };
  if (asked.kind === 'type') return explain(vmType(asked.type), found.verdict);
  const reasons = [tdxReason(found.verdict)];
  return { outcome: outcomeOfReasons(reasons), reasons, carrots: [] };
}

function warningsOf(machine: VirtualMachine, named: NamedImage | undefined): readonly string[] {
  const { annotation, annotationOutsideTemplate, boot } = machine;
  return [
    ...(annotation !== undefined && named !== undefined && named.image !== annotation
      ? [`unpin: annotation ${IMAGE_ANNOTATION}=${annotation} does not count: a rule says ${named.image}`]
      : []),
    ...(annotationOutsideTemplate && named?.from === 'annotation'
      ? [`unpin: put ${IMAGE_ANNOTATION} into spec.template.metadata: its VirtualMachineInstance does not see it here`]
      : []),
    ...(boot.byTemplate && annotation === undefined && named !== undefined
      ? [
          `unpin: its VirtualMachineInstance won't show its source: annotate its template ${IMAGE_ANNOTATION}=${named.image}`,
        ]
      : []),
  ];
}
