import type { SevDevice } from '../../sev/sev-device.ts';
import type { Descriptors } from '../memory/index.ts';

/** /dev/sev of a software KVM: what commands to its firmware name. */
class OpenSevDevice {
  readonly path = '/dev/sev';
}

export function openSoftwareSevDevice(descriptors: Descriptors): SevDevice {
  const fd = descriptors.open(new OpenSevDevice());
  return { fd, close: () => descriptors.close(fd) };
}

export function isSevDevice(descriptors: Descriptors, fd: number): boolean {
  return descriptors.get(fd) instanceof OpenSevDevice;
}
