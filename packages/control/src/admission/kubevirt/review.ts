import { type Fields, field, isFields } from './fields.ts';
import type { VirtualMachineKind } from './virtual-machine.ts';

/** The parts of an `admission.k8s.io/v1` request that a decision rests on. */
export interface Review {
  readonly uid: string;
  /** Undefined: something that this webhook has nothing to say on. */
  readonly kind: VirtualMachineKind | undefined;
  readonly operation: string;
  readonly subResource: string;
  readonly namespace: string | undefined;
  /** For people: `namespace/name`, as far as they are known. */
  readonly subject: string;
  readonly user: string;
  readonly dryRun: boolean;
  readonly object: unknown;
  readonly oldObject: unknown;
}

const GROUP = 'kubevirt.io';
const KINDS: readonly VirtualMachineKind[] = ['VirtualMachine', 'VirtualMachineInstance'];

/** Reads a request that has a uid. Wrong types count as absent here: the API server writes these, users don't. */
export function reviewOf(request: Fields & { readonly uid: string }): Review {
  // With matchPolicy Equivalent the object is sent in the version that the rule asks for, which `kind` names.
  const kind = text(request, 'kind', 'kind');
  const known = text(request, 'kind', 'group') === GROUP ? KINDS.find((each) => each === kind) : undefined;
  const namespace = plain(request, 'namespace');
  const metadata = fields(fields(request, 'object'), 'metadata');
  const name = plain(request, 'name') ?? plain(metadata, 'name') ?? `${plain(metadata, 'generateName') ?? '?'}*`;
  return {
    uid: request.uid,
    kind: known,
    operation: plain(request, 'operation') ?? '',
    subResource: plain(request, 'subResource') ?? '',
    namespace,
    subject: `${namespace === undefined ? '' : `${namespace}/`}${name}`.slice(0, 512),
    user: (text(request, 'userInfo', 'username') ?? '?').slice(0, 256),
    dryRun: field(request, 'dryRun') === true,
    object: field(request, 'object'),
    oldObject: field(request, 'oldObject'),
  };
}

function fields(object: Fields, name: string): Fields {
  const value = field(object, name);
  return isFields(value) ? value : {};
}

function plain(object: Fields, name: string): string | undefined {
  const value = field(object, name);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function text(object: Fields, outer: string, name: string): string | undefined {
  return plain(fields(object, outer), name);
}
