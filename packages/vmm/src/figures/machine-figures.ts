import type { MemoryFigures } from '@unpin/kvm';

/**
 * A machine's memory, with what KVM itself has pinned for it (KVM_MEMORY_ENCRYPT_REG_REGION): KVM accounts that per VM
 * and neither the process's VmPin nor any other counter of the operating system shows it. Pure.
 */
export function machineFigures(memory: MemoryFigures, registeredBytes: number): MemoryFigures {
  if (registeredBytes === 0) return memory;
  return {
    ...memory,
    pinned: memory.pinned + registeredBytes,
    unmovable: Math.max(memory.unmovable, memory.pinned + registeredBytes),
  };
}
