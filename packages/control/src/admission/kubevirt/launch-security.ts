import type { VmTypeId } from '@unpin/policy';
import { type Fields, field, MalformedObject, objectAt } from './fields.ts';

/** What `launchSecurity` asks for: a VM type of ours, or Intel TDX, which has none. */
export type Asked = { readonly kind: 'type'; readonly type: VmTypeId } | { readonly kind: 'tdx' };

/** KubeVirt's ways, of which an object has exactly one. */
const WAYS = ['sev', 'snp', 'tdx'] as const;

/**
 * `domain.launchSecurity` as KubeVirt v1 has it: `sev` (with `policy.encryptedState`: SEV-ES), `snp` or `tdx`. Undefined
 * where it is absent: an ordinary VM. Throws MalformedObject for several ways at once, or one that isn't known: what is
 * not understood is never waved through.
 */
export function launchSecurityOf(domain: Fields): Asked | undefined {
  const security = objectAt(domain, 'launchSecurity');
  if (security === undefined) return undefined;
  const set = Object.keys(security).filter((name) => field(security, name) !== undefined);
  // On s390x an empty one asks for Secure Execution, of which a verdict says nothing.
  if (set.length === 0) return undefined;
  const [way] = set;
  if (set.length > 1 || !WAYS.some((each) => each === way))
    throw new MalformedObject('launchSecurity', `exactly one of ${WAYS.join(', ')}`);
  if (way === 'tdx') return { kind: 'tdx' };
  if (way === 'snp') return { kind: 'type', type: 'sev-snp' };
  const policy = objectAt(security, 'sev', 'policy');
  const encrypted = policy === undefined ? undefined : field(policy, 'encryptedState');
  if (encrypted !== undefined && typeof encrypted !== 'boolean')
    throw new MalformedObject('launchSecurity.sev.policy.encryptedState', 'a boolean');
  return { kind: 'type', type: encrypted === true ? 'sev-es' : 'sev' };
}
