import { GuestStuck } from './expectation.ts';
import { asm64 } from './guests/asm64.ts';
import { program } from './guests/bytes.ts';
import { hypercallInstruction } from './guests/hypercall.ts';
import { longModeGuest } from './guests/long-mode.ts';
import type { Need } from './need.ts';
import { ATTRIBUTE_PRIVATE, CAP, GMEM, HYPERCALL, PAGE, VM_TYPE } from './numbers.ts';
import { describeExit, errnoOf, type RuleContext } from './rule-context.ts';

/** A capability that KVM answers with a value above 0, on /dev/kvm. */
export function capability(name: keyof typeof CAP): Need {
  return {
    name: `KVM_CAP_${name}`,
    missing: ({ kvm }) => (kvm.checkExtension(CAP[name]) > 0 ? undefined : 'this kernel does not have the capability'),
  };
}

/** A capability that must not be there: rules about how its calls are refused. */
export function noCapability(name: keyof typeof CAP): Need {
  return {
    name: `no KVM_CAP_${name}`,
    missing: ({ kvm }) => (kvm.checkExtension(CAP[name]) > 0 ? 'this kernel has the capability' : undefined),
  };
}

/** A capability that a default VM answers with 0, whatever /dev/kvm says for VMs of any type. */
export function noCapabilityOnDefaultVm(name: keyof typeof CAP): Need {
  return {
    name: `no KVM_CAP_${name} on a default VM`,
    missing: (ctx) => (ctx.vm().checkExtension(CAP[name]) > 0 ? 'a default VM has the capability' : undefined),
  };
}

/** Whether the mask of KVM_CAP_VM_TYPES has this type. Kernels before 6.8 have no mask, and the default type only. */
export function hasVmType({ kvm }: RuleContext, type: number): boolean {
  return type === VM_TYPE.DEFAULT || ((kvm.checkExtension(CAP.VM_TYPES) >>> type) & 1) === 1;
}

export function vmType(name: keyof typeof VM_TYPE): Need {
  return {
    name: `VM type ${name}`,
    missing: (ctx) => (hasVmType(ctx, VM_TYPE[name]) ? undefined : 'KVM_CAP_VM_TYPES does not list the type'),
  };
}

/** guest_memfd on default VMs (kernels from 6.18). */
export const guestMemfdOnDefaultVm: Need = {
  name: 'guest_memfd on default VMs',
  missing: (ctx) =>
    ctx.vm().checkExtension(CAP.GUEST_MEMFD) > 0 ? undefined : 'KVM_CAP_GUEST_MEMFD is 0 on a default VM',
};

/** A VM type that has guest_memfd at all. */
export function guestMemfdVmType(ctx: RuleContext): number | undefined {
  const types = [VM_TYPE.DEFAULT, VM_TYPE.SW_PROTECTED];
  return types.find((type) => hasVmType(ctx, type) && ctx.vm(type).checkExtension(CAP.GUEST_MEMFD) > 0);
}

/** The file alone: kernels from 6.8 to 6.17 create one for every VM, and only refuse to put it behind a slot. */
export const guestMemfdFile: Need = {
  name: 'guest_memfd files',
  missing: (ctx) => {
    try {
      ctx.guestMemfd(ctx.vm(), PAGE);
      return undefined;
    } catch (error) {
      return `KVM_CREATE_GUEST_MEMFD on a default VM: ${errnoOf(error)}`;
    }
  },
};

export const guestMemfd: Need = {
  name: 'guest_memfd',
  missing: (ctx) => (guestMemfdVmType(ctx) === undefined ? 'no VM type of this kernel has guest_memfd' : undefined),
};

/** guest_memfd that user space may map, with memory that starts as shared. */
export const guestMemfdMmap: Need = {
  name: 'guest_memfd with MMAP and INIT_SHARED',
  missing: (ctx) => {
    const flags = ctx.vm().checkExtension(CAP.GUEST_MEMFD_FLAGS);
    const all = GMEM.MMAP | GMEM.INIT_SHARED;
    return (flags & all) === all ? undefined : `KVM_CAP_GUEST_MEMFD_FLAGS is ${flags} on a default VM`;
  },
};

/** A VM whose memory has the private attribute. */
export const privateMemory: Need = {
  name: 'private memory (software-protected VMs)',
  missing: (ctx) => {
    if (!hasVmType(ctx, VM_TYPE.SW_PROTECTED)) return 'no software-protected VMs here';
    const attributes = ctx.vm(VM_TYPE.SW_PROTECTED).checkExtension(CAP.MEMORY_ATTRIBUTES);
    return (attributes & ATTRIBUTE_PRIVATE) === 0 ? `KVM_CAP_MEMORY_ATTRIBUTES is ${attributes}` : undefined;
  },
};

/** SEV in this kernel and this machine: KVM_MEMORY_ENCRYPT_OP with a null argument answers. */
export function hasSev(ctx: RuleContext): boolean {
  return hasVmType(ctx, VM_TYPE.SEV);
}

export const sev: Need = {
  name: 'SEV',
  missing: (ctx) => (hasSev(ctx) ? undefined : 'KVM_CAP_VM_TYPES lists no SEV VMs'),
};

export const noSev: Need = {
  name: 'no SEV',
  missing: (ctx) => (hasSev(ctx) ? 'this machine has SEV' : undefined),
};

/** A guest's VMCALL or VMMCALL must reach KVM; on a software-paging KVM it never does, and may loop. */
export const hypercalls: Need = {
  name: 'hypercall exits',
  missing: (ctx) => {
    const vm = ctx.vm();
    if (vm.checkExtension(CAP.EXIT_HYPERCALL) === 0) return 'KVM_CAP_EXIT_HYPERCALL is 0';
    vm.enableCap(CAP.EXIT_HYPERCALL, [1 << HYPERCALL.MAP_GPA_RANGE]);
    const code = program(
      asm64.movRax(HYPERCALL.MAP_GPA_RANGE),
      asm64.movRbx(0),
      asm64.movRcx(1),
      asm64.movRdx(0),
      hypercallInstruction(ctx),
      asm64.hlt,
    );
    const { vcpu } = longModeGuest(ctx, code, { vm });
    try {
      const exit = ctx.run(vcpu);
      return exit.kind === 'hypercall' ? undefined : `the guest's hypercall came back as ${describeExit(exit)}`;
    } catch (error) {
      if (error instanceof GuestStuck) return `the guest's hypercall loops inside KVM_RUN: ${error.message}`;
      throw error;
    }
  },
};

/** Real virtualization: instructions run as they are, faults come from nested page tables. */
export const hardwareVirtualization: Need = {
  name: 'hardware virtualization',
  missing: ({ kvm }) => {
    const { engine } = kvm.info;
    return engine === 'pvm' ? 'this KVM emulates ring 0 in software (engine pvm)' : undefined;
  },
};
