import { UnpinError } from '@unpin/contract/errors';
import type { Verdict } from '@unpin/policy';
import { type Ability, abilityOf } from './ability.ts';
import { GCE_FEATURES } from './gce.ts';
import { NOVA_MODELS } from './nova.ts';

export interface ClaimOutcome {
  readonly claim: string;
  /**
   * `contradicted`: the image can't do what it claims. `unproven`: it is not known whether it can. `not-claimed`: it can,
   * and its tags don't say so. `not-judged`: a tag that says nothing that unpin looks at.
   */
  readonly outcome: 'holds' | 'contradicted' | 'unproven' | 'not-claimed' | 'not-judged';
  readonly why: string;
}

/** A claim as it is written, and the abilities that it takes; empty where it says nothing that unpin looks at. */
interface Claim {
  readonly text: string;
  readonly abilities: readonly Ability[];
}

/** Tags whose meaning is known beside those that `--format gce` prints. */
const GCE_OLDER: Readonly<Record<string, readonly Ability[]>> = {
  // Deprecated: it was given to kernels that report, right or wrong. V2 asks for what the ability asks for.
  SEV_LIVE_MIGRATABLE: ['live-migration'],
};

const NOVA_TRAITS: Readonly<Record<string, Ability>> = {
  HW_CPU_X86_AMD_SEV: 'sev',
  HW_CPU_X86_AMD_SEV_ES: 'sev-es',
  HW_CPU_X86_AMD_SEV_SNP: 'snp',
};

/**
 * Tags as people write them, separated by commas or blanks: GCE's guest OS features, Nova's image properties.
 * @throws UnpinError USAGE where there is none, or a property has a value that Nova doesn't know
 */
export function compareClaims(verdict: Verdict, tags: string): readonly ClaimOutcome[] {
  const words = tags.split(/[\s,]+/).filter((word) => word !== '' && word !== '--property');
  if (words.length === 0) throw new UnpinError('USAGE', { subject: '--compare-claims', needed: 'tags of an image' });
  const claims = words.map((word) => parseClaim(word.replace(/^--guest-os-features=/, '')));
  return [...claims.map((claim) => judge(verdict, claim)), ...notClaimed(verdict, claims)];
}

function parseClaim(text: string): Claim {
  const feature = GCE_FEATURES.find((each) => each.feature === text);
  if (feature !== undefined) return { text, abilities: [feature.ability] };
  const older = Object.hasOwn(GCE_OLDER, text) ? GCE_OLDER[text] : undefined;
  if (older !== undefined) return { text, abilities: older };
  const [name = '', value = 'true'] = text.split('=');
  switch (name) {
    case 'hw_mem_encryption':
      return { text, abilities: isTrue(value) ? ['sev'] : [] };
    case 'hw_mem_encryption_model':
      return { text, abilities: [modelAbility(text, value)] };
    default: {
      const trait = /^trait:(\w+)$/.exec(name)?.[1];
      const ability = trait !== undefined && Object.hasOwn(NOVA_TRAITS, trait) ? NOVA_TRAITS[trait] : undefined;
      return { text, abilities: ability === undefined ? [] : [ability] };
    }
  }
}

/** As oslo.utils reads a boolean. */
function isTrue(value: string): boolean {
  return ['true', 't', 'yes', 'y', 'on', '1'].includes(value.toLowerCase());
}

function modelAbility(text: string, value: string): Ability {
  const known = NOVA_MODELS.find(({ model }) => model === value);
  if (known !== undefined) return known.ability;
  throw new UnpinError('USAGE', {
    subject: '--compare-claims',
    found: text,
    needed: `hw_mem_encryption_model=${NOVA_MODELS.map(({ model }) => model).join('|')}`,
  });
}

function judge(verdict: Verdict, { text, abilities }: Claim): ClaimOutcome {
  if (abilities.length === 0)
    return { claim: text, outcome: 'not-judged', why: 'says nothing that the inspection looks at' };
  const answers = abilities.map((ability) => abilityOf(verdict, ability));
  const wrong = answers.find(({ answer }) => answer === 'no');
  if (wrong !== undefined) return { claim: text, outcome: 'contradicted', why: wrong.why };
  const open = answers.find(({ answer }) => answer === 'unknown');
  if (open !== undefined) return { claim: text, outcome: 'unproven', why: open.why };
  return { claim: text, outcome: 'holds', why: answers.map(({ why }) => why).join('; ') };
}

/** Where GCE features are claimed at all: those that the image could claim and doesn't. */
function notClaimed(verdict: Verdict, claims: readonly Claim[]): readonly ClaimOutcome[] {
  const claimed = new Set(claims.map(({ text }) => text));
  if (!GCE_FEATURES.some(({ feature }) => claimed.has(feature))) return [];
  return GCE_FEATURES.filter(({ feature }) => !claimed.has(feature)).flatMap(({ feature, ability }) => {
    const { answer, why } = abilityOf(verdict, ability);
    return answer === 'yes' ? [{ claim: feature, outcome: 'not-claimed' as const, why }] : [];
  });
}

/** 1 where a claim is contradicted, 2 where one can't be proven, else 0. A claim that could be made and isn't is no fault. */
export function exitOfClaims(outcomes: readonly ClaimOutcome[]): number {
  if (outcomes.some(({ outcome }) => outcome === 'contradicted')) return 1;
  return outcomes.some(({ outcome }) => outcome === 'unproven') ? 2 : 0;
}
