import { UnpinError } from '@unpin/contract/errors';
import { type Kvm, KvmError, type OnFaultPinning, type Vm } from '@unpin/kvm';
import type { AnyGuestMemory } from '@unpin/kvm/guest-memory';
import type { Execution, Regime } from '@unpin/policy';

/** Pins that last as long as the machine. */
export interface HeldPins {
  readonly release: () => void;
  /** Bytes that KVM pins by itself, which no counter of the operating system shows. */
  readonly registeredBytes: number;
  /** What went wrong with pins made while the guest runs: its type doesn't allow a page without. */
  readonly trouble: () => UnpinError | undefined;
}

export const NO_PINS: HeldPins = { release: () => {}, registeredBytes: 0, trouble: () => undefined };

export interface PinTask {
  readonly name: string;
  readonly kvm: Kvm;
  readonly vm: Vm;
  readonly memory: AnyGuestMemory;
  readonly regime: Regime;
  readonly execution: Execution;
  readonly onProgress: (pinnedBytes: number) => void;
  /** A restored VM's regions are registered already, where KVM pins. */
  readonly isRestored?: boolean;
}

/**
 * Pins all guest memory before the first instruction: by KVM itself where it has SEV, else by a long-term pin.
 * @throws UnpinError PIN_NOT_ALLOWED, PIN_FAILED
 */
export async function pinUpfront(task: PinTask): Promise<HeldPins> {
  const { kvm, memory } = task;
  const bytes = memory.pinnable.reduce((sum, { size }) => sum + size, 0);
  const rights = kvm.pinning.pinRights();
  if (rights.pinned + bytes > rights.limit)
    throw new UnpinError('PIN_NOT_ALLOWED', {
      subject: task.name,
      found: `a limit of ${rights.limit} bytes (RLIMIT_MEMLOCK), ${rights.pinned} of them in use`,
      needed: `${bytes} bytes, or CAP_IPC_LOCK`,
      next: 'ulimit -l unlimited, or run as a user with CAP_IPC_LOCK',
    });
  try {
    return pinsByKvm(task) ? registerRegions(task) : await pinLongTerm(task);
  } catch (cause) {
    if (!(cause instanceof KvmError)) throw cause;
    throw new UnpinError('PIN_FAILED', { subject: task.name, found: cause.message, needed: `${bytes} bytes`, cause });
  }
}

function pinsByKvm({ execution, regime }: PinTask): boolean {
  return execution !== 'shaped' && (regime.tech === 'sev' || regime.tech === 'sev-es');
}

/** KVM_MEMORY_ENCRYPT_REG_REGION, a range at a time. They end with the VM at the latest. */
function registerRegions({ vm, memory, onProgress, isRestored = false }: PinTask): HeldPins {
  const ranges = memory.pinnable.map(({ memory, offset, size }) => ({ hva: memory.hva + offset, size }));
  let bytes = 0;
  for (const { hva, size } of ranges) {
    if (!isRestored) vm.registerEncryptedRegion(hva, size);
    bytes += size;
    onProgress(bytes);
  }
  return {
    ...NO_PINS,
    registeredBytes: bytes,
    release: () => {
      for (const { hva, size } of ranges) vm.unregisterEncryptedRegion(hva, size);
    },
  };
}

async function pinLongTerm({ kvm, memory, onProgress }: PinTask): Promise<HeldPins> {
  const ranges = memory.pinnable.map(({ memory, offset, size }) => ({ memory, offset, length: size }));
  const pin = await kvm.pinning.pinRanges(ranges, { onProgress });
  return { ...NO_PINS, release: () => pin.release() };
}

/**
 * Pins what is touched, from now on. To be called before anything is loaded.
 * @throws UnpinError PIN_NOT_ALLOWED, PIN_FAILED
 */
export async function pinWhatIsTouched(name: string, kvm: Kvm, memory: AnyGuestMemory): Promise<HeldPins> {
  const held: OnFaultPinning[] = [];
  const release = () => {
    for (const pinning of held.splice(0)) pinning.close();
  };
  try {
    for (const { memory: backing } of memory.pinnable) held.push(await kvm.pinning.pinOnFault(backing));
  } catch (cause) {
    release();
    if (!(cause instanceof KvmError)) throw cause;
    throw new UnpinError(cause.code === 'EPERM' ? 'PIN_NOT_ALLOWED' : 'PIN_FAILED', {
      subject: name,
      found: cause.message,
      cause,
    });
  }
  return { ...NO_PINS, release, trouble: () => troubleOf(name, held) };
}

function troubleOf(name: string, held: readonly OnFaultPinning[]): UnpinError | undefined {
  for (const pinning of held) {
    const { failures, firstErrno } = pinning.figures();
    if (failures > 0)
      return new UnpinError('PIN_FAILED', {
        subject: name,
        found: `${failures} touched ranges of 2 MiB could not be pinned (errno ${firstErrno})`,
      });
  }
  return undefined;
}
