import { STATEMENTS, type Verdict } from '@unpin/policy';
import { type Ability, abilityOf } from './ability.ts';
import type { Formatted } from './gce.ts';

interface LaunchSecurity {
  readonly name: string;
  readonly ability: Ability;
  /** Lines under `launchSecurity:`. */
  readonly lines: readonly string[];
  /** What the node must have; KubeVirt selects by it on its own. */
  readonly nodeLabel: string;
}

/** KubeVirt's `launchSecurity`, of which a VM has exactly one, the strongest first. */
const WAYS: readonly LaunchSecurity[] = [
  { name: 'SEV-SNP', ability: 'snp', lines: ['snp: {}'], nodeLabel: 'kubevirt.io/sev-snp' },
  {
    name: 'SEV-ES',
    ability: 'sev-es',
    lines: ['sev:', '  policy:', '    encryptedState: true'],
    nodeLabel: 'kubevirt.io/sev-es',
  },
  { name: 'SEV', ability: 'sev', lines: ['sev: {}'], nodeLabel: 'kubevirt.io/sev' },
  { name: 'TDX', ability: 'tdx', lines: ['tdx: {}'], nodeLabel: 'kubevirt.io/tdx' },
];

/**
 * What belongs into a VirtualMachineInstance (or a VirtualMachine's template): labels that tell the verdict, and the
 * strongest launchSecurity that the image can have. The others follow as comments.
 */
export function kubevirtFormat(verdict: Verdict): Formatted {
  const answers = WAYS.map((way) => ({ way, ...abilityOf(verdict, way.ability) }));
  const [strongest, ...others] = answers.filter(({ answer }) => answer === 'yes');
  const labels = STATEMENTS.map(({ id }) => `    unpin/${id}: "${verdict.statements[id].answer}"`);
  // A label's value has at most 63 characters.
  const head = ['metadata:', '  labels:', ...labels, `    unpin/boot-set: "${verdict.bootSet.digest.slice(0, 63)}"`];
  return {
    value: [
      ...head,
      ...(strongest === undefined ? [] : domain(strongest.way)),
      ...others.flatMap(({ way }) => [`# or, for ${way.name}:`, ...domain(way).map((line) => `# ${line}`)]),
    ].join('\n'),
    notes: answers
      .filter(({ answer }) => answer !== 'yes')
      .map(({ way, answer, why }) => `${way.name} left out (${answer === 'no' ? 'no' : 'not known'}): ${why}`),
  };
}

function domain({ lines, nodeLabel }: LaunchSecurity): readonly string[] {
  return [
    'spec:',
    '  domain:',
    `    launchSecurity: # on nodes labelled ${nodeLabel}`,
    ...lines.map((line) => `      ${line}`),
    '    firmware:',
    '      bootloader:',
    '        efi:',
    '          secureBoot: false',
  ];
}
