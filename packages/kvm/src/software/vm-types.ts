import { VM_TYPES } from '../uapi/constants.ts';
import type { MemoryTech } from './memory/index.ts';

/**
 * The VM types that are built. SEV-ES and SNP aren't: encrypted registers and the reverse map have no part in what this
 * KVM shows. A SEV VM may have guest_memfds and memory attributes, which no kernel offers for it: that is the memory
 * model of the 2022 RFC, and each of its slots chooses by KVM_MEM_GUEST_MEMFD.
 */
const TECHS: ReadonlyMap<number, MemoryTech> = new Map([
  [VM_TYPES.KVM_X86_DEFAULT_VM, 'none'],
  [VM_TYPES.KVM_X86_SW_PROTECTED_VM, 'sw-protected'],
  [VM_TYPES.KVM_X86_SEV_VM, 'sev'],
]);

/** KVM_CAP_VM_TYPES. */
export const VM_TYPE_MASK = [...TECHS.keys()].reduce((mask, type) => mask | (1 << type), 0);

/** How a VM of this type protects its memory; undefined for a type that isn't offered. */
export function techOf(type: number): MemoryTech | undefined {
  return TECHS.get(type);
}

/** Whether guest pages of such a VM have the private attribute. */
export function hasPrivateMemory(type: number): boolean {
  return type === VM_TYPES.KVM_X86_SW_PROTECTED_VM || type === VM_TYPES.KVM_X86_SEV_VM;
}
