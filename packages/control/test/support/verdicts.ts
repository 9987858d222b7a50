import type { VerdictMessage } from '@unpin/contract';

type Finding = VerdictMessage['statements']['sev-guest'];

export function finding(answer: 'yes' | 'no', summary: string, where: string): Finding {
  return { answer, level: 'proven', summary, evidence: [{ signal: 'symbol', where, seen: summary }] };
}

export const UNKNOWN: Finding = { answer: 'unknown', level: 'unknown', summary: 'not looked at', evidence: [] };

export function verdict(name: string, statements: Partial<VerdictMessage['statements']>): VerdictMessage {
  return {
    bootSet: { digest: `digest-of-${name}`, kernel: { name, sha256: `sha-of-${name}`, bytes: 8_000_000 } },
    inspector: 'kernel-1',
    kernel: { container: 'bzImage 2.15', payload: 'xz', banner: `Linux version ${name}` },
    statements: {
      'sev-guest': finding('yes', 'has the code of an SEV guest', 'vmlinux'),
      'sev-es-guest': UNKNOWN,
      'snp-guest': UNKNOWN,
      'page-state-changes': UNKNOWN,
      'tdx-guest': UNKNOWN,
      'unaccepted-memory': UNKNOWN,
      'reports-conversions': UNKNOWN,
      'reports-correctly': UNKNOWN,
      ...statements,
    },
    obstacles: [],
  };
}

/** A kernel such as Debian's 5.10: an SEV guest that reports nothing. */
export const silentKernel = verdict('5.10', {
  'reports-conversions': finding('no', 'has no function that reports conversions', 'kallsyms'),
  'reports-correctly': finding('no', 'does not report at all', 'kallsyms'),
});

/** A kernel such as Linux 6.1 before the fix of CVE-2023-53996. */
export const wrongKernel = verdict('6.1', {
  'reports-conversions': finding('yes', 'reports conversions', 'vmlinux'),
  'reports-correctly': finding('no', 'lacks the fix of CVE-2023-53996', 'BTF'),
});

/** A kernel such as Debian's 6.12. */
export const rightKernel = verdict('6.12', {
  'reports-conversions': finding('yes', 'reports conversions', 'vmlinux'),
  'reports-correctly': finding('yes', 'has the fix of CVE-2023-53996', 'BTF'),
});

/** A kernel that could not be read. */
export const unreadKernel = verdict('unread', { 'sev-guest': UNKNOWN });
