import { type BootSource, bootSourceOf } from './boot-source.ts';
import { type Fields, field, isFields, listOf, MalformedObject, objectAt, stringOf } from './fields.ts';
import { type Asked, launchSecurityOf } from './launch-security.ts';

/** Users' own word on which of unpin's images a VM boots. */
export const IMAGE_ANNOTATION = 'unpin.dev/image';

export type VirtualMachineKind = 'VirtualMachine' | 'VirtualMachineInstance';

/** All of a VirtualMachine or VirtualMachineInstance that a decision rests on. */
export interface VirtualMachine {
  /** Undefined: an ordinary VM. */
  readonly asked: Asked | undefined;
  readonly boot: BootSource;
  readonly annotation: string | undefined;
  /** On the VirtualMachine itself, where its instance does not see it. */
  readonly annotationOutsideTemplate: boolean;
  /** An instancetype may add launchSecurity: only the VirtualMachineInstance shows it. */
  readonly hasInstancetype: boolean;
  /** It is going away: nothing may stop its finalizers. */
  readonly deleting: boolean;
}

/** Reads an object of kubevirt.io/v1. Throws MalformedObject where it is not of that shape. */
export function virtualMachineOf(
  kind: VirtualMachineKind,
  object: unknown,
  namespace: string | undefined,
): VirtualMachine {
  if (!isFields(object)) throw new MalformedObject('object', 'an object');
  const metadata = objectAt(object, 'metadata') ?? {};
  const outer = objectAt(object, 'spec');
  if (outer === undefined) throw new MalformedObject('spec', 'an object');
  const spec = kind === 'VirtualMachine' ? objectAt(outer, 'template', 'spec') : outer;
  const own = annotationOf(metadata);
  const inner = kind === 'VirtualMachine' ? annotationOf(objectAt(outer, 'template', 'metadata') ?? {}) : own;
  const templates = kind === 'VirtualMachine' ? listOf(outer, 'dataVolumeTemplates', 1024) : [];
  const domain = spec === undefined ? {} : (objectAt(spec, 'domain') ?? {});
  const asked = launchSecurityOf(domain);
  return {
    asked,
    // An ordinary VM's disks are nobody's business here, and can't be wrong.
    boot: asked === undefined ? { references: [], byTemplate: false } : bootSourceOf(spec ?? {}, templates, namespace),
    annotation: inner ?? own,
    annotationOutsideTemplate: inner === undefined && own !== undefined,
    hasInstancetype: kind === 'VirtualMachine' && objectAt(outer, 'instancetype') !== undefined,
    deleting: field(metadata, 'deletionTimestamp') !== undefined,
  };
}

/** Whether two states of an object lead to the same question: the second needs no new answer. */
export function sameQuestion(a: VirtualMachine, b: VirtualMachine): boolean {
  const facts = ({ asked, boot, annotation }: VirtualMachine): string => JSON.stringify([asked, boot, annotation]);
  return facts(a) === facts(b);
}

function annotationOf(metadata: Fields): string | undefined {
  const annotations = objectAt(metadata, 'annotations');
  return annotations === undefined ? undefined : stringOf(annotations, IMAGE_ANNOTATION);
}
