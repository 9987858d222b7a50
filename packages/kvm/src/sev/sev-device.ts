import { closeFile, O_RDWR, openFile } from '../sys/file.ts';

/** /dev/sev: the door to the firmware. LAUNCH_START and INIT name it in kvm_sev_cmd.sev_fd. */
export interface SevDevice {
  readonly fd: number;
  close(): void;
}

/** Throws KvmError: ENOENT where there is no SEV firmware driver (module ccp), EACCES without the right to it. */
export function openSevDevice(): SevDevice {
  const fd = openFile('/dev/sev', O_RDWR);
  return { fd, close: () => closeFile(fd) };
}
