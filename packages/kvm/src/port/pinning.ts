import type { HostMemory, Pin } from './host-memory.ts';

/** What a process may pin, and what it has pinned already. */
export interface PinRights {
  /** Bytes; Infinity with CAP_IPC_LOCK or without a limit. */
  readonly limit: number;
  readonly hasIpcLock: boolean;
  /** Bytes that are held in long-term pins; a huge page counts whole where a part is held. */
  readonly pinned: number;
}

/** Page-aligned bytes of a host memory. */
export interface PinRange {
  readonly memory: HostMemory;
  readonly offset: number;
  readonly length: number;
}

export interface PinRangesOptions {
  /** Called as pieces are done, with the bytes pinned so far. */
  readonly onProgress?: (pinnedBytes: number) => void;
}

/** What was pinned because it was touched. */
export interface OnFaultFigures {
  readonly pinnedBytes: number;
  /** Ranges that could not be pinned: the guest runs on with them unpinned, which its type does not allow. */
  readonly failures: number;
  /** Of the first failure, 0 for none. */
  readonly firstErrno: number;
}

/** Pins what is touched, until it is closed. */
export interface OnFaultPinning {
  figures(): OnFaultFigures;
  /** Releases every pin. Blocks until that is done. */
  close(): void;
}

/** Long-term pins: pages can't move while one is held. */
export interface Pinning {
  /** Errors: ENOMEM over RLIMIT_MEMLOCK, EFAULT, EOPNOTSUPP. */
  pin(memory: HostMemory, offset: number, length: number): Pin;
  /** As fast as the machine can, while this thread goes on. All or nothing; errors as `pin`. */
  pinRanges(ranges: readonly PinRange[], options?: PinRangesOptions): Promise<Pin>;
  /** Pins what is touched from now on: to be called before anything is. Errors: EPERM, ENOMEM. */
  pinOnFault(memory: HostMemory): Promise<OnFaultPinning>;
  pinRights(): PinRights;
  /** Bytes held in long-term pins; those of KVM_MEMORY_ENCRYPT_REG_REGION are not among them. */
  pinnedBytes(): number;
}
