import type { ImageBoot } from '@unpin/contract';
import { bootSetOf, sha256 } from '@unpin/image/boot-set';
import type { Evidence, Finding, Verdict } from '@unpin/policy';

export type ProbeFlavour = Extract<ImageBoot, { kind: 'probe' }>['flavour'];

/**
 * The verdict of the built-in probe. It is not found by looking: the probe is a part of the VMM, and does what its
 * flavour says. The evidence says so. What boots is the probe of that VMM, so its version is the boot set's identity.
 */
export function probeVerdict(flavour: ProbeFlavour, vmmVersion: string): Verdict {
  const identity = `unpin-vmm ${vmmVersion}, probe ${flavour}`;
  const built = (answer: 'yes' | 'no', summary: string): Finding => ({
    answer,
    level: 'proven',
    summary,
    evidence: [evidence(flavour, summary)],
  });
  return {
    bootSet: bootSetOf({ name: identity, sha256: sha256(Buffer.from(identity)), bytes: 0 }, undefined, undefined),
    inspector: 'built-in',
    kernel: { container: 'built-in probe', payload: 'none' },
    statements: {
      'sev-guest': built('yes', 'the probe sets the C bit wherever it is told that there is one'),
      'sev-es-guest': built('no', 'the probe has no handler for the VMM communication exception'),
      'snp-guest': built('no', 'the probe does not validate pages'),
      'page-state-changes': built('no', 'the probe does not announce page state changes'),
      'tdx-guest': built('no', 'the probe makes no TDCALL'),
      'unaccepted-memory': built('no', 'the probe uses memory as it finds it'),
      ...reporting(flavour, built),
    },
    obstacles: [],
  };
}

type Reporting = Pick<Verdict['statements'], 'reports-conversions' | 'reports-correctly'>;

function reporting(flavour: ProbeFlavour, built: (answer: 'yes' | 'no', summary: string) => Finding): Reporting {
  switch (flavour) {
    case 'honest':
      return {
        'reports-conversions': built('yes', 'this flavour reports each conversion before it uses the page'),
        'reports-correctly': built('yes', 'this flavour reports exactly the pages that it converts'),
      };
    case 'silent':
      return {
        'reports-conversions': built('no', 'this flavour shares pages and reports none of them'),
        'reports-correctly': built('no', 'this flavour reports nothing'),
      };
    case 'lying':
      return {
        'reports-conversions': built('yes', 'this flavour reports conversions'),
        'reports-correctly': built('no', 'this flavour uses pages in another view than it reported, on purpose'),
      };
    case 'misreporting':
      return {
        'reports-conversions': built('yes', 'this flavour reports conversions'),
        'reports-correctly': built(
          'no',
          'this flavour reports one page too many of an unaligned range (CVE-2023-53996)',
        ),
      };
  }
}

function evidence(flavour: ProbeFlavour, seen: string): Evidence {
  return { signal: 'built-in', where: `probe, flavour ${flavour}`, seen };
}
