import type { RegisterFile } from './register-file.ts';

/**
 * Why a machine stopped. `count`: it ran what it was asked to. `exception`: the next thing would be to deliver this
 * exception, and nothing of it has happened yet (a machine that can't hold delivery back never says so). `breakpoint`:
 * RIP is at an address that was asked for. `halt`: it waits for an interrupt. `shutdown`: triple fault or power off.
 * `outside`: an instruction whose result isn't the processor's own to know (I/O, CPUID, a clock): RIP is at it, or `behind`
 * it with the result still to be put into registers; `what` is its mnemonic. `unsupported`: it can't run the instruction at RIP and says why;
 * nothing has changed. `retired`: instructions of this call, as the machine counts them.
 */
export type StopReason =
  | { readonly kind: 'count' | 'breakpoint' | 'halt' | 'shutdown'; readonly retired: number }
  | {
      readonly kind: 'exception';
      readonly retired: number;
      readonly vector: number;
      readonly errorCode: number;
      /** CR2 of a page fault. */
      readonly address: bigint;
    }
  | { readonly kind: 'outside'; readonly retired: number; readonly behind: boolean; readonly what: string }
  | { readonly kind: 'unsupported'; readonly retired: number; readonly why: string };

/** A machine that can be stepped: ours, QEMU by its gdbstub, or the host's own CPU. One processor. */
export interface SteppedMachine {
  readonly name: string;
  readRegs(): RegisterFile;
  /** Sets all of them. Throws for what the machine can't set. */
  writeRegs(registers: RegisterFile): void;
  /** Guest-physical, as the host sees it: no C bit, no decryption of what an engine keeps encrypted for others. */
  readMemory(address: number, length: number): Uint8Array;
  /** Guest-physical. */
  writeMemory(address: number, data: Uint8Array): void;
  /** Runs so many instructions, or fewer when it stops for another reason. One REP instruction is one, or one a round. */
  runInstructions(count: number): StopReason;
  close(): void;
}
