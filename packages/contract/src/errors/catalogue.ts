/** How a program ends for each class of error (sysexits.h); 0, 1 and 2 are kept for answers. */
export const EXIT = {
  usage: 64,
  data: 65,
  noInput: 66,
  unavailable: 69,
  internal: 70,
  cannotCreate: 73,
  io: 74,
  temporary: 75,
  noPermission: 77,
  config: 78,
} as const;

interface Entry {
  /** One line for people: what this code means. */
  readonly means: string;
  readonly http: number;
  readonly exit: number;
}

/**
 * Every error that a person or a program may meet. Codes are stable: they are added, never renamed.
 * docs/errors.md lists them; a test compares.
 */
export const CATALOGUE = {
  USAGE: { means: 'the command line cannot be understood', http: 400, exit: EXIT.usage },
  CONFIG_UNKNOWN_KEY: { means: 'the configuration has a key that unpin does not know', http: 400, exit: EXIT.config },
  CONFIG_INVALID: { means: 'the configuration cannot be read or has a wrong value', http: 400, exit: EXIT.config },
  REQUEST_INVALID: { means: 'the request does not fit its schema', http: 400, exit: EXIT.usage },
  NOT_FOUND: { means: 'there is no such thing', http: 404, exit: EXIT.noInput },
  ALREADY_EXISTS: { means: 'the name is taken', http: 409, exit: EXIT.cannotCreate },
  CONFLICT: { means: 'the thing is not in a state that allows this', http: 409, exit: EXIT.temporary },
  VM_TYPE_UNKNOWN: { means: 'there is no VM type of this name', http: 400, exit: EXIT.usage },
  VM_TYPE_NOT_BUILT: { means: 'this version of unpin cannot run this VM type yet', http: 501, exit: EXIT.unavailable },
  VM_TYPE_UNAVAILABLE: { means: 'this machine cannot run this VM type', http: 422, exit: EXIT.unavailable },
  ADMISSION_REFUSED: { means: "the image does not meet the VM type's needs", http: 422, exit: 1 },
  ADMISSION_UNKNOWN: { means: "it is not known whether the image meets the VM type's needs", http: 422, exit: 2 },
  VERDICT_INVALID: { means: 'this is no verdict that unpin can read', http: 400, exit: EXIT.data },
  WEBHOOK_NOT_CONFIGURED: {
    means: 'the operator has not said what the webhook answers where it cannot decide',
    http: 503,
    exit: EXIT.config,
  },
  PLACEMENT_FAILED: { means: 'no host can run this VM now', http: 422, exit: EXIT.unavailable },
  MEMORY_INVALID: { means: 'the memory size is not one that a VM can have', http: 400, exit: EXIT.usage },
  MEMORY_EXCEEDS_HOST: { means: 'the host has not that much memory', http: 422, exit: EXIT.unavailable },
  PIN_NOT_ALLOWED: { means: 'the process has no right to pin that much memory', http: 422, exit: EXIT.noPermission },
  PIN_FAILED: { means: 'the kernel could not pin the memory', http: 500, exit: EXIT.unavailable },
  KVM_MISSING: { means: 'there is no /dev/kvm here', http: 503, exit: EXIT.unavailable },
  KVM_FORBIDDEN: { means: '/dev/kvm may not be opened', http: 503, exit: EXIT.noPermission },
  KVM_REFUSED: { means: 'KVM refused a call', http: 500, exit: EXIT.unavailable },
  KVM_TOO_SLOW: { means: "this machine's KVM cannot boot Linux in reasonable time", http: 422, exit: EXIT.unavailable },
  FILE_NOT_FOUND: { means: 'there is no such file', http: 404, exit: EXIT.noInput },
  FILE_UNREADABLE: { means: 'the file cannot be read', http: 403, exit: EXIT.noInput },
  FILE_TOO_LARGE: { means: 'the file is larger than what unpin reads of its kind', http: 413, exit: EXIT.data },
  NOT_A_KERNEL: { means: 'the file is not an x86-64 Linux kernel', http: 422, exit: EXIT.data },
  KERNEL_CORRUPT: { means: 'the kernel file is damaged or truncated', http: 422, exit: EXIT.data },
  KERNEL_UNSUPPORTED: { means: 'the kernel has a form that unpin cannot read yet', http: 422, exit: EXIT.data },
  IMAGE_CORRUPT: { means: 'the image is damaged, truncated or leads in circles', http: 422, exit: EXIT.data },
  IMAGE_UNSUPPORTED: { means: 'the image has a form that unpin cannot read', http: 422, exit: EXIT.data },
  IMAGE_OVER_LIMITS: { means: 'inspecting the image takes more than is allowed', http: 422, exit: EXIT.data },
  BOOT_DOES_NOT_FIT: { means: 'kernel, initrd or command line do not fit into the guest', http: 422, exit: EXIT.data },
  LAUNCH_ORDER_INVALID: { means: 'the launch order cannot be read or contradicts itself', http: 400, exit: EXIT.data },
  LAUNCH_ORDER_MISMATCH: {
    means: 'this VMM resolves another regime for the type than its launch order',
    http: 409,
    exit: EXIT.data,
  },
  BOOT_SET_CHANGED: { means: 'what would boot is not what was judged', http: 409, exit: EXIT.data },
  GUEST_STUCK: { means: 'the guest makes no progress and was stopped', http: 500, exit: EXIT.temporary },
  GUEST_CRASHED: { means: 'the guest ended in a way it should not', http: 500, exit: EXIT.data },
  GUEST_TIMEOUT: { means: 'the guest did not end in the given time', http: 504, exit: EXIT.temporary },
  SNAPSHOT_UNAVAILABLE: { means: 'this VM cannot be saved as it is now', http: 422, exit: EXIT.unavailable },
  SNAPSHOT_INVALID: { means: 'the file is no snapshot that this VMM can go on from', http: 422, exit: EXIT.data },
  VMM_DIED: { means: 'the VMM process ended unexpectedly', http: 500, exit: EXIT.internal },
  DATABASE_FULL: { means: 'the disk or quota under the database is full', http: 507, exit: EXIT.io },
  DATABASE_IN_USE: { means: 'another unpin already runs on this database', http: 409, exit: EXIT.temporary },
  DATABASE_UNUSABLE: { means: 'the database cannot be opened', http: 500, exit: EXIT.io },
  DATABASE_UNREACHABLE: { means: 'the database server does not answer', http: 503, exit: EXIT.temporary },
  DATABASE_TOO_NEW: { means: 'the database was written by a newer unpin', http: 500, exit: EXIT.config },
  SERVER_UNREACHABLE: { means: 'no unpin server answers there', http: 503, exit: EXIT.unavailable },
  ADDRESS_IN_USE: { means: 'the address to listen on is taken', http: 409, exit: EXIT.unavailable },
  TEST_HOST_MISSING: { means: 'the parts of the test host are not on this machine', http: 503, exit: EXIT.unavailable },
  TEST_HOST_FAILED: { means: 'the test host did not come up or ended early', http: 500, exit: EXIT.temporary },
  ASSET_UNAVAILABLE: { means: 'a package could not be fetched', http: 503, exit: EXIT.unavailable },
  NOT_BUILT: { means: 'this is not built yet', http: 501, exit: EXIT.unavailable },
  IO: { means: 'a file or socket operation failed', http: 500, exit: EXIT.io },
  INTERNAL: { means: 'a defect of unpin itself', http: 500, exit: EXIT.internal },
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof CATALOGUE;

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(CATALOGUE, code);
}
