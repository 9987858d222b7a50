import { decide, type Verdict, type VmTypeId, vmType } from '@unpin/policy';

/** What control planes and clouds tell images by. `live-migration`: of SEV guests, which lives by the guest's reports. */
export type Ability = 'sev' | 'sev-es' | 'snp' | 'tdx' | 'live-migration';

export interface AbilityAnswer {
  readonly answer: 'yes' | 'no' | 'unknown';
  /** One line for people: what decides it. */
  readonly why: string;
}

/** The VM type whose needs are the ability's. unpin has no TDX type: there the statement itself answers. */
const TYPE_OF: Readonly<Record<Exclude<Ability, 'tdx'>, VmTypeId>> = {
  sev: 'sev',
  'sev-es': 'sev-es',
  snp: 'sev-snp',
  'live-migration': 'sev-upm',
};

/** Whether a verdict has an ability: one rule for all formats, the same that admission goes by. Pure. */
export function abilityOf(verdict: Verdict, ability: Ability): AbilityAnswer {
  if (ability === 'tdx') {
    const { answer, summary } = verdict.statements['tdx-guest'];
    return { answer, why: `tdx-guest: ${summary}` };
  }
  const { outcome, reasons } = decide(vmType(TYPE_OF[ability]), verdict);
  const open = reasons.filter((reason) => reason.outcome !== 'met');
  const shown = (open.length === 0 ? reasons : open).map(({ need, found }) => `${need}: ${found.summary}`);
  const answer = outcome === 'may' ? 'yes' : outcome === 'may-not' ? 'no' : 'unknown';
  return { answer, why: [...new Set(shown)].join('; ') };
}
