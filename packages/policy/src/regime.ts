import type { MemoryModel, Pinning, Tech, VmType, VmTypeId } from './vm-type.ts';

/** What a type means for one VM's memory. Resolved once, carried in the launch order. */
export interface Regime {
  readonly type: VmTypeId;
  readonly tech: Tech;
  readonly memoryModel: MemoryModel;
  readonly pinning: Pinning;
  readonly conversions: VmType['conversions'];
}

/** The regime comes from the type and from nothing else. */
export function regimeOf(type: VmType): Regime {
  return {
    type: type.id,
    tech: type.tech,
    memoryModel: type.memoryModel,
    pinning: type.pinning,
    conversions: type.conversions,
  };
}

/** Whether a launch order's regime is the one that this version resolves: version skew must fail closed. */
export function sameRegime(a: Regime, b: Regime): boolean {
  return (
    a.type === b.type &&
    a.tech === b.tech &&
    a.memoryModel === b.memoryModel &&
    a.pinning === b.pinning &&
    a.conversions === b.conversions
  );
}

/** Only SEV hardware is confidential; a type without a technique never is. */
export function isConfidential(type: VmType, execution: 'hardware' | 'shaped' | 'emulated'): boolean {
  return execution === 'hardware' && (type.tech === 'sev' || type.tech === 'sev-es' || type.tech === 'sev-snp');
}
