import * as file from '../../src/sys/file.ts';
import * as ring from '../../src/sys/io-uring.ts';
import * as memory from '../../src/sys/memory-map.ts';
import { SYSCALL } from '../../src/sys/syscall.ts';
import * as constants from '../../src/uapi/constants.ts';
import * as iouring from '../../src/uapi/io-uring-structs.ts';
import { IOCTLS } from '../../src/uapi/ioctls.ts';
import { KVM_RUN_STRUCT } from '../../src/uapi/run-struct.ts';
import * as sevConstants from '../../src/uapi/sev-constants.ts';
import * as sev from '../../src/uapi/sev-structs.ts';
import type { Fields, Layout } from '../../src/uapi/struct.ts';
import * as userfault from '../../src/uapi/userfault-structs.ts';
import * as vcpu from '../../src/uapi/vcpu-structs.ts';
import * as vm from '../../src/uapi/vm-structs.ts';

/** A layout without its typed accessors. */
type Described = Pick<Layout<Fields>, 'name' | 'size' | 'fields'>;

/** What one golden file holds: a part of the table, and the headers that say the same in C. */
export interface Group {
  readonly name: string;
  readonly headers: readonly string[];
  readonly structs: readonly Described[];
  readonly constants: Readonly<Record<string, number>>;
}

/** The table as the C compiler is asked for it. */
export const GROUPS: readonly Group[] = [
  {
    name: 'kvm',
    headers: ['linux/kvm.h', 'linux/kvm_para.h'],
    structs: [KVM_RUN_STRUCT, ...layouts(vm), ...layouts(vcpu)],
    constants: {
      ...IOCTLS,
      ...constants.VM_TYPES,
      ...constants.CAPS,
      ...constants.EXIT_REASONS,
      ...constants.MEMORY_FLAGS,
      ...constants.DEVICE_FLAGS,
      ...constants.PARAVIRT,
      ...constants.EVENTS,
    },
  },
  {
    name: 'sev',
    headers: ['linux/kvm.h'],
    structs: layouts(sev),
    constants: { ...sevConstants.SEV_COMMANDS, ...sevConstants.SNP_PAGE_TYPES },
  },
  {
    name: 'io-uring',
    headers: ['linux/io_uring.h', 'sys/uio.h'],
    structs: layouts(iouring),
    constants: numbers(ring, /^IORING_(REGISTER|UNREGISTER|RSRC)_/),
  },
  {
    name: 'userfaultfd',
    headers: ['sys/ioctl.h', 'linux/userfaultfd.h'],
    structs: layouts(userfault),
    constants: { ...userfault.UFFD_IOCTLS, ...userfault.UFFD_CONSTANTS },
  },
  {
    name: 'libc',
    headers: ['fcntl.h', 'sys/mman.h', 'sys/syscall.h'],
    structs: [],
    constants: {
      ...numbers(file, /^(O_|FALLOC_)/),
      ...numbers(memory, /^(PROT|MAP|MADV)_/),
      ...Object.fromEntries(Object.entries(SYSCALL).map(([name, number]) => [`SYS_${name}`, number])),
    },
  },
];

/** The table in the form of a golden file. */
export function describe(group: Group): unknown {
  const structs = Object.fromEntries(
    group.structs.map(({ name, size, fields }) => [
      name,
      {
        size,
        fields: Object.fromEntries(Object.entries(fields).map(([field, at]) => [field, [at.offset, at.size]])),
      },
    ]),
  );
  return { structs, constants: group.constants };
}

function layouts(from: object): Described[] {
  return Object.values(from).filter(
    (value): value is Described => typeof value === 'object' && value !== null && 'make' in value,
  );
}

function numbers(from: object, names: RegExp): Record<string, number> {
  return Object.fromEntries(
    Object.entries(from).filter(([name, value]) => names.test(name) && typeof value === 'number'),
  );
}
