import type { Verdict } from '@unpin/policy';
import { type Ability, abilityOf } from './ability.ts';

/** Google Compute Engine's guest OS features that say what a confidential guest can do, and what each takes. */
export const GCE_FEATURES: readonly { readonly feature: string; readonly ability: Ability }[] = [
  { feature: 'SEV_CAPABLE', ability: 'sev' },
  { feature: 'SEV_LIVE_MIGRATABLE_V2', ability: 'live-migration' },
  { feature: 'SEV_SNP_CAPABLE', ability: 'snp' },
  { feature: 'TDX_CAPABLE', ability: 'tdx' },
];

export interface Formatted {
  /** What a program takes; empty where the image can have none of it. */
  readonly value: string;
  /** For people: what was left out, and why; what must be known beside it. */
  readonly notes: readonly string[];
}

/** The `--guest-os-features` value of `gcloud compute images create`, with those features that the verdict bears out. */
export function gceFormat(verdict: Verdict): Formatted {
  const answers = GCE_FEATURES.map(({ feature, ability }) => ({ feature, ...abilityOf(verdict, ability) }));
  const features = answers.filter(({ answer }) => answer === 'yes').map(({ feature }) => feature);
  return {
    value: features.length === 0 ? '' : `--guest-os-features=${features.join(',')}`,
    notes: answers
      .filter(({ answer }) => answer !== 'yes')
      .map(({ feature, answer, why }) => `${feature} left out (${answer === 'no' ? 'no' : 'not known'}): ${why}`),
  };
}
