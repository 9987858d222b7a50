import type { Verdict } from '@unpin/policy';
import { type Ability, abilityOf } from './ability.ts';
import type { Formatted } from './gce.ts';

/** OpenStack Nova's memory encryption models, the strongest first. An image property asks for one of them. */
export const NOVA_MODELS: readonly { readonly model: string; readonly ability: Ability }[] = [
  { model: 'amd-sev-snp', ability: 'snp' },
  { model: 'amd-sev-es', ability: 'sev-es' },
  { model: 'amd-sev', ability: 'sev' },
];

/** What Nova asks of every image with encrypted memory (docs.openstack.org/nova/latest/admin/sev.html). */
const ALWAYS = ['hw_firmware_type=uefi', 'hw_machine_type=q35', 'hw_mem_encryption=true'];

/** What each model asks beside that: SNP is measured with its firmware, which then has no memory of its own. */
const BESIDE: Readonly<Record<string, readonly string[]>> = { 'amd-sev-snp': ['hw_firmware_stateless=true'] };

/**
 * `openstack image set` with the properties of the strongest model that the image can have; the others as comments.
 * @param hasEfiPartition undefined where that was not looked at
 */
export function novaFormat(verdict: Verdict, hasEfiPartition: boolean | undefined): Formatted {
  const answers = NOVA_MODELS.map(({ model, ability }) => ({ model, ...abilityOf(verdict, ability) }));
  const commands = answers
    .filter(({ answer }) => answer === 'yes')
    .map(({ model }, index) => `${index === 0 ? '' : '# or: '}${command(model)}`);
  return {
    value: commands.join('\n'),
    notes: [
      ...answers
        .filter(({ answer }) => answer !== 'yes')
        .map(({ model, answer, why }) => `${model} left out (${answer === 'no' ? 'no' : 'not known'}): ${why}`),
      ...(hasEfiPartition === false
        ? ['no EFI system partition was found: with hw_firmware_type=uefi this image may not boot']
        : []),
    ],
  };
}

function command(model: string): string {
  const properties = [...ALWAYS, `hw_mem_encryption_model=${model}`, ...(BESIDE[model] ?? [])];
  return `openstack image set ${properties.map((property) => `--property ${property}`).join(' ')} "$IMAGE"`;
}
