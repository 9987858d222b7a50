import type { Kvm } from '../../../src/port/kvm.ts';
import type { Vm } from '../../../src/port/vm.ts';
import {
  allowedGuestMemfdFlags,
  type GuestAddressSpaceOptions,
  type Host,
  NR_MEMSLOTS,
} from '../../../src/software/memory/index.ts';
import { SoftwarePinning } from '../../../src/software/pinning.ts';
import { ERRNO, failure } from '../../../src/sys/errno.ts';

/** KVM_CAP_*: by the API document. */
const CAP = {
  nrMemslots: 10,
  readonlyMem: 81,
  attributes: 233,
  guestMemfd: 234,
  vmTypes: 235,
  gmemFlags: 244,
} as const;

/** VM types that this memory-only KVM has: default, software-protected, SEV. */
const TYPES = new Map<number, GuestAddressSpaceOptions>([
  [0, { tech: 'none', hasPrivateMemory: false }],
  [1, { tech: 'sw-protected', hasPrivateMemory: true }],
]);

/**
 * A KVM that has memory and nothing else, so that the conformance rules of memory calls can be asked without a vCPU.
 * Whatever else a rule would need is not there: it fails as a TypeError.
 */
export function memoryKvm(host: Host): Kvm {
  const { addresses } = host;
  const kvm: Partial<Kvm> = {
    info: { backend: 'software', kernel: '6.18.0', engine: 'wasm' },
    checkExtension: (cap) => (cap === CAP.vmTypes ? 0b11 : capability(cap, true)),
    createVm: (type) => memoryVm(host, type),
    allocate: (size) => addresses.allocate(size),
    allocateMemfd: (name, size) => addresses.allocateMemfd(name, size),
    mapGuestMemfd: (fd, size) => addresses.mapGuestMemfd(fd, size),
    pinning: new SoftwarePinning(host),
    close: () => {},
  };
  return kvm as Kvm;
}

function memoryVm(host: Host, type: number): Vm {
  const options = TYPES.get(type);
  if (options === undefined) throw failure('KVM_CREATE_VM', ERRNO.EINVAL);
  const space = host.createGuestAddressSpace(options);
  const regions = host.createEncryptedRegions(space);
  const fd = host.descriptors.open({ space });
  const vm: Partial<Vm> = {
    handle: { fd, type },
    checkExtension: (cap) => capability(cap, options.hasPrivateMemory),
    setUserMemoryRegion: (region) => space.setUserMemoryRegion(region),
    setUserMemoryRegion2: (region) => space.setUserMemoryRegion2(region),
    createGuestMemfd: (size, flags) => space.createGuestMemfd(size, flags),
    setMemoryAttributes: (gpa, size, attributes, flags) => space.setMemoryAttributes(gpa, size, attributes, flags),
    getDirtyLog: (slot, pages) => space.takeDirtyLog(slot, pages),
    registerEncryptedRegion: (hva, size) => regions.register(hva, size),
    unregisterEncryptedRegion: (hva, size) => regions.unregister(hva, size),
    close: () => {
      regions.close();
      space.close();
      host.descriptors.close(fd);
    },
  };
  return vm as Vm;
}

function capability(cap: number, hasPrivateMemory: boolean): number {
  switch (cap) {
    case CAP.nrMemslots:
      return NR_MEMSLOTS;
    case CAP.readonlyMem:
    case CAP.guestMemfd:
      return 1;
    case CAP.attributes:
      return hasPrivateMemory ? 8 : 0;
    case CAP.gmemFlags:
      return allowedGuestMemfdFlags({ hasPrivateMemory, inPlace: false });
    default:
      return 0;
  }
}
