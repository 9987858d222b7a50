import type { Tech, VmType, VmTypeId } from '../vm-type.ts';
import { vmType } from '../vm-types.ts';

/** What another VM type would give: the reason to go there before one must. */
export interface Carrot {
  readonly type: VmTypeId;
  readonly gains: readonly string[];
}

/** How much a technique keeps from the host; a type that keeps less is no carrot. */
const STRENGTH: Readonly<Record<Tech, number>> = { none: 0, 'sw-protected': 0, sev: 1, 'sev-es': 2, 'sev-snp': 3 };

/**
 * What each of these types would give beside the one that was asked for, the strongest first. Only types that keep as
 * much from the host count, and only where something is gained. Pure.
 */
export function carrotsFor(type: VmType, others: readonly VmTypeId[]): readonly Carrot[] {
  return others
    .map(vmType)
    .filter((other) => STRENGTH[other.tech] >= STRENGTH[type.tech] && type.tech !== 'none' && other.tech !== 'none')
    .map((other) => ({ other, gains: gainsOf(type, other) }))
    .filter(({ gains }) => gains.length > 0)
    .toSorted((a, b) => STRENGTH[b.other.tech] - STRENGTH[a.other.tech])
    .map(({ other, gains }) => ({ type: other.id, gains }));
}

/** What changes for the better from one type to another, in words for people. Pure. */
export function gainsOf(from: VmType, to: VmType): readonly string[] {
  const gains: string[] = [];
  if (from.pinning === 'upfront' && to.pinning === 'none')
    gains.push('memory is allocated as it is used instead of all pinned', 'start time no longer grows with memory');
  if (from.pinning === 'upfront' && to.pinning === 'on-fault')
    gains.push('memory is pinned as it is touched instead of all before the start');
  if (STRENGTH[from.tech] < 2 && STRENGTH[to.tech] >= 2) gains.push('registers are encrypted');
  if (to.tech === 'sev-snp' && from.tech !== 'sev-snp') gains.push('memory is protected against replay and remapping');
  return gains;
}
