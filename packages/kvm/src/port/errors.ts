/** A refusal by KVM or by a call that serves it. `errno` is the kernel's own, positive. */
export class KvmError extends Error {
  override readonly name = 'KvmError';
  /** The call, by the name of its API document: `KVM_CREATE_VM`, `mmap`. */
  readonly call: string;
  /** Positive errno, e.g. 22. */
  readonly errno: number;
  /** Its symbol, e.g. `EINVAL`. */
  readonly code: string;

  constructor(call: string, errno: number, code: string, detail?: string) {
    super(`${call}: ${code} (${errno})${detail === undefined ? '' : `: ${detail}`}`);
    this.call = call;
    this.errno = errno;
    this.code = code;
  }
}

/** A SEV command that the firmware refused: KVM answers EIO (or the command's errno) and the firmware its own code. */
export class SevError extends Error {
  override readonly name = 'SevError';
  readonly command: string;
  readonly errno: number;
  readonly code: string;
  /** `kvm_sev_cmd.error`: a SEV_RET_* code, 0 where the firmware was never asked. */
  readonly firmwareError: number;

  constructor(command: string, errno: number, code: string, firmwareError: number) {
    super(`${command}: ${code} (${errno}), firmware error ${firmwareError}`);
    this.command = command;
    this.errno = errno;
    this.code = code;
    this.firmwareError = firmwareError;
  }
}
