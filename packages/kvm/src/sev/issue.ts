import type { Vm } from '../port/vm.ts';
import { addressOf, keepAlive } from '../sys/memory-view.ts';
import { SEV_COMMANDS, type SevCommandName } from '../uapi/sev-constants.ts';

/** Where a command goes: the VM, and the firmware's device (-1 for commands that KVM takes without). */
export interface SevTarget {
  readonly vm: Vm;
  readonly sevFd: number;
}

/** Issues one KVM_MEMORY_ENCRYPT_OP. `struct` is read and written in place. Throws SevError. */
export function issue(target: SevTarget, name: SevCommandName, struct: Uint8Array | null = null): void {
  target.vm.memoryEncryptOp({ name, id: SEV_COMMANDS[name], data: struct, sevFd: target.sevFd });
}

/**
 * Does something with the addresses of buffers that a command's struct points at; 0 for a null one.
 *
 * Safety: the buffers are kept reachable until `use` is back; it must be synchronous.
 */
export function withAddresses<T>(buffers: readonly (Uint8Array | null)[], use: (addresses: number[]) => T): T {
  try {
    return use(buffers.map((buffer) => (buffer === null ? 0 : addressOf(buffer))));
  } finally {
    keepAlive(...buffers);
  }
}
