import { UnpinError } from '@unpin/contract';
import { KvmError, type Pin, type Vm } from '@unpin/kvm';
import type { AnyGuestMemory } from '@unpin/kvm/guest-memory';
import { pinParallel, pinRights } from '@unpin/kvm/linux';
import type { Execution, Regime } from '@unpin/policy';

export interface PinTask {
  readonly name: string;
  readonly vm: Vm;
  readonly memory: AnyGuestMemory;
  readonly regime: Regime;
  readonly execution: Execution;
  readonly onProgress: (pinnedBytes: number) => void;
}

/**
 * Pins all guest memory before the first instruction: by KVM itself on SEV hardware, else by a long-term pin.
 * @throws UnpinError PIN_NOT_ALLOWED, PIN_FAILED
 */
export async function pinUpfront(task: PinTask): Promise<Pin> {
  const { memory } = task;
  const bytes = memory.pinnable.reduce((sum, { size }) => sum + size, 0);
  const rights = pinRights();
  if (rights.pinned + bytes > rights.limit)
    throw new UnpinError('PIN_NOT_ALLOWED', {
      subject: task.name,
      found: `a limit of ${rights.limit} bytes (RLIMIT_MEMLOCK), ${rights.pinned} of them in use`,
      needed: `${bytes} bytes, or CAP_IPC_LOCK`,
      next: 'ulimit -l unlimited, or run as a user with CAP_IPC_LOCK',
    });
  try {
    return isHardwareSev(task) ? registerRegions(task) : await pinLongTerm(task);
  } catch (cause) {
    if (!(cause instanceof KvmError)) throw cause;
    throw new UnpinError('PIN_FAILED', { subject: task.name, found: cause.message, needed: `${bytes} bytes`, cause });
  }
}

function isHardwareSev({ execution, regime }: PinTask): boolean {
  return execution === 'hardware' && (regime.tech === 'sev' || regime.tech === 'sev-es');
}

/** KVM_MEMORY_ENCRYPT_REG_REGION, a range at a time. They end with the VM at the latest. */
function registerRegions({ vm, memory, onProgress }: PinTask): Pin {
  const ranges = memory.pinnable.map(({ memory, offset, size }) => ({ hva: memory.hva + offset, size }));
  let bytes = 0;
  for (const { hva, size } of ranges) {
    vm.registerEncryptedRegion(hva, size);
    bytes += size;
    onProgress(bytes);
  }
  return {
    bytes,
    release: () => {
      for (const { hva, size } of ranges) vm.unregisterEncryptedRegion(hva, size);
    },
  };
}

async function pinLongTerm({ memory, onProgress }: PinTask): Promise<Pin> {
  const ranges = memory.pinnable.map(({ memory, offset, size }) => ({ memory: memory.handle, offset, length: size }));
  return await pinParallel(ranges, { onProgress });
}
