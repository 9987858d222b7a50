import { capability, hasVmType } from '../needs.ts';
import { CAP, MSR, PAGE, VM_TYPE } from '../numbers.ts';
import type { Rule } from '../rule.ts';

/** First leaf of KVM's own CPUID range, and its signature `KVMKVMKVM` in EBX, ECX, EDX. */
const KVM_LEAF = 0x4000_0000;
const KVM_FEATURES_LEAF = 0x4000_0001;
const SIGNATURE = [0x4b4d_564b, 0x564b_4d56, 0x4d] as const;

/** KVM_FEATURE_HC_MAP_GPA_RANGE and KVM_FEATURE_MIGRATION_CONTROL. */
const USER_SPACE_FEATURES = (1 << 16) | (1 << 17);

/** Capabilities that every KVM on x86 has had for more than ten years. */
const OLD = ['IRQCHIP', 'HLT', 'USER_MEMORY', 'SET_TSS_ADDR', 'EXT_CPUID', 'MP_STATE', 'IRQFD', 'IOEVENTFD'] as const;

export const systemRules: readonly Rule[] = [
  {
    id: 'system/api-version-is-12',
    says: 'The API version is 12 and will stay so.',
    source: 'API document, KVM_GET_API_VERSION',
    check: (ctx) => ctx.equal(ctx.kvm.apiVersion(), 12, 'KVM_GET_API_VERSION'),
  },
  {
    id: 'system/unknown-extension-is-0',
    says: 'An extension that the kernel does not know is answered with 0, not with an error.',
    source: 'API document, KVM_CHECK_EXTENSION',
    check: (ctx) => {
      for (const cap of [0x7fff, 0x7fff_ffff]) ctx.equal(ctx.kvm.checkExtension(cap), 0, `extension ${cap}`);
    },
  },
  {
    id: 'system/old-extensions-are-there',
    says: 'The extensions that every VMM takes for granted are there.',
    source: 'API document, KVM_CHECK_EXTENSION',
    check: (ctx) => {
      for (const name of OLD) ctx.holds(ctx.kvm.checkExtension(CAP[name]) > 0, `KVM_CAP_${name} above 0`, 0);
    },
  },
  {
    id: 'system/vm-answers-extensions',
    says: 'A VM answers KVM_CHECK_EXTENSION itself, the same for what does not depend on the VM.',
    source: 'API document, KVM_CHECK_EXTENSION (KVM_CAP_CHECK_EXTENSION_VM)',
    needs: [capability('CHECK_EXTENSION_VM')],
    check: (ctx) => {
      const vm = ctx.vm();
      for (const name of OLD)
        ctx.equal(vm.checkExtension(CAP[name]), ctx.kvm.checkExtension(CAP[name]), `KVM_CAP_${name} on the VM`);
    },
  },
  {
    id: 'system/vm-answers-unknown-extension-with-0',
    says: 'A VM answers an unknown extension with 0 as well.',
    source: 'API document, KVM_CHECK_EXTENSION',
    needs: [capability('CHECK_EXTENSION_VM')],
    check: (ctx) => ctx.equal(ctx.vm().checkExtension(0x7fff), 0, 'extension 0x7fff on the VM'),
  },
  {
    id: 'system/at-least-32-memslots',
    says: 'There are at least 32 memslots for user space.',
    source: 'API document, KVM_CAP_NR_MEMSLOTS; the limit was 32 when the capability was introduced',
    check: (ctx) => {
      const slots = ctx.kvm.checkExtension(CAP.NR_MEMSLOTS);
      ctx.holds(slots >= 32, 'KVM_CAP_NR_MEMSLOTS at least 32', slots);
    },
  },
  {
    id: 'system/vcpu-limits-are-ordered',
    says: 'Recommended vCPUs ≤ maximum vCPUs ≤ maximum vCPU id.',
    source: 'API document, KVM_CREATE_VCPU',
    check: (ctx) => {
      const [recommended, most, ids] = [CAP.NR_VCPUS, CAP.MAX_VCPUS, CAP.MAX_VCPU_ID].map((cap) =>
        ctx.kvm.checkExtension(cap),
      );
      if (recommended === undefined || most === undefined || ids === undefined) return;
      const found = `${recommended}, ${most}, ${ids}`;
      ctx.holds(recommended > 0 && recommended <= most && most <= ids, 'recommended ≤ maximum ≤ ids', found);
    },
  },
  {
    id: 'system/run-area-is-whole-pages',
    says: 'The shared area of a vCPU is a whole number of pages and holds struct kvm_run and a page of port data.',
    source: 'API document, KVM_GET_VCPU_MMAP_SIZE',
    check: (ctx) => {
      const bytes = ctx.kvm.vcpuMmapBytes();
      ctx.equal(bytes % PAGE, 0, 'size of the area modulo the page size');
      ctx.holds(bytes >= 2 * PAGE, 'size of the area at least two pages', bytes);
    },
  },
  {
    id: 'system/supported-cpuid-starts-at-leaf-0',
    says: 'KVM_GET_SUPPORTED_CPUID has leaf 0, which names a vendor and the highest leaf.',
    source: 'API document, KVM_GET_SUPPORTED_CPUID',
    check: (ctx) => {
      const leaf = ctx.kvm.supportedCpuid().find((each) => each.function === 0);
      ctx.holds(leaf !== undefined && leaf.eax >= 1 && leaf.ebx !== 0, 'leaf 0 with a vendor', leaf?.eax);
    },
  },
  {
    id: 'system/supported-cpuid-has-long-mode',
    says: 'KVM_GET_SUPPORTED_CPUID has leaf 0x80000001 with the long-mode bit on a 64-bit host.',
    source: 'API document, KVM_GET_SUPPORTED_CPUID',
    check: (ctx) => {
      const leaf = ctx.kvm.supportedCpuid().find((each) => each.function === 0x8000_0001);
      ctx.holds(((leaf?.edx ?? 0) & (1 << 29)) !== 0, 'bit 29 of EDX', leaf?.edx);
    },
  },
  {
    id: 'system/supported-cpuid-has-kvm-signature',
    says: 'KVM_GET_SUPPORTED_CPUID has the leaf 0x40000000 with KVM’s signature and the feature leaf behind it.',
    source: 'cpuid document of KVM, KVM_CPUID_SIGNATURE',
    check: (ctx) => {
      const leaf = ctx.kvm.supportedCpuid().find((each) => each.function === KVM_LEAF);
      ctx.holds(leaf !== undefined && leaf.eax >>> 0 >= KVM_FEATURES_LEAF, 'highest leaf of the range', leaf?.eax);
      const found = [leaf?.ebx, leaf?.ecx, leaf?.edx].map((word) => (word ?? 0).toString(16)).join(' ');
      ctx.equal(found, SIGNATURE.map((word) => word.toString(16)).join(' '), 'the signature');
    },
  },
  {
    id: 'system/map-gpa-range-feature-is-user-spaces',
    says: 'KVM does not offer the MAP_GPA_RANGE and MIGRATION_CONTROL feature bits itself: user space sets them.',
    source: 'hypercalls document, KVM_HC_MAP_GPA_RANGE',
    check: (ctx) => {
      const leaf = ctx.kvm.supportedCpuid().find((each) => each.function === KVM_FEATURES_LEAF);
      ctx.equal((leaf?.eax ?? 0) & USER_SPACE_FEATURES, 0, 'bits 16 and 17 of EAX of leaf 0x40000001');
    },
  },
  {
    id: 'system/emulated-cpuid-answers',
    says: 'KVM_GET_EMULATED_CPUID lists leaves, none of them twice.',
    source: 'API document, KVM_GET_EMULATED_CPUID',
    needs: [capability('EXT_EMUL_CPUID')],
    check: (ctx) => {
      const names = ctx.kvm.emulatedCpuid().map((each) => `${each.function}/${each.index}`);
      ctx.equal(new Set(names).size, names.length, 'different leaves');
    },
  },
  {
    id: 'system/msr-list-has-tsc',
    says: 'KVM_GET_MSR_INDEX_LIST names the time-stamp counter and the syscall MSRs, none twice.',
    source: 'API document, KVM_GET_MSR_INDEX_LIST',
    check: (ctx) => {
      const indices = ctx.kvm.msrIndices();
      for (const index of [MSR.TSC, MSR.STAR, MSR.LSTAR])
        ctx.holds(indices.includes(index), `MSR 0x${index.toString(16)} in the list`, indices.length);
      ctx.equal(new Set(indices).size, indices.length, 'different MSRs');
    },
  },
  {
    id: 'system/feature-msr-list-answers',
    says: 'KVM_GET_MSR_FEATURE_INDEX_LIST answers a list without repetition.',
    source: 'API document, KVM_GET_MSR_FEATURE_INDEX_LIST',
    needs: [capability('GET_MSR_FEATURES')],
    check: (ctx) => {
      const indices = ctx.kvm.featureMsrIndices();
      ctx.equal(new Set(indices).size, indices.length, 'different MSRs');
    },
  },
  {
    id: 'system/immediate-exit-is-there',
    says: 'KVM_RUN can be asked to come back at once.',
    source: 'API document, KVM_CAP_IMMEDIATE_EXIT',
    since: '4.11',
    check: (ctx) => ctx.equal(ctx.kvm.checkExtension(CAP.IMMEDIATE_EXIT), 1, 'KVM_CAP_IMMEDIATE_EXIT'),
  },
  {
    id: 'system/vm-types-has-default',
    says: 'The mask of VM types has the default type.',
    source: 'API document, KVM_CAP_VM_TYPES',
    since: '6.8',
    check: (ctx) => ctx.equal(ctx.kvm.checkExtension(CAP.VM_TYPES) & 1, 1, 'bit 0 of KVM_CAP_VM_TYPES'),
  },
  {
    id: 'system/memory-region-2-is-there',
    says: 'KVM_SET_USER_MEMORY_REGION2 is there, whatever the VM types.',
    source: 'API document, KVM_CAP_USER_MEMORY2',
    since: '6.8',
    check: (ctx) => ctx.equal(ctx.kvm.checkExtension(CAP.USER_MEMORY2), 1, 'KVM_CAP_USER_MEMORY2'),
  },
  {
    id: 'system/memory-fault-info-is-there',
    says: 'KVM says where a memory fault of the guest was (KVM_EXIT_MEMORY_FAULT).',
    source: 'API document, KVM_CAP_MEMORY_FAULT_INFO',
    since: '6.8',
    check: (ctx) => ctx.equal(ctx.kvm.checkExtension(CAP.MEMORY_FAULT_INFO), 1, 'KVM_CAP_MEMORY_FAULT_INFO'),
  },
];

export const createVmRules: readonly Rule[] = [
  {
    id: 'create-vm/default-type',
    says: 'A VM of the default type can always be created, and more than one.',
    source: 'API document, KVM_CREATE_VM',
    check: (ctx) => {
      const first = ctx.accepts(() => ctx.vm(VM_TYPE.DEFAULT), 'the first VM');
      const second = ctx.accepts(() => ctx.vm(VM_TYPE.DEFAULT), 'the second VM');
      ctx.holds(first.handle.fd !== second.handle.fd, 'two different descriptors', first.handle.fd);
    },
  },
  {
    id: 'create-vm/listed-types',
    says: 'Every type in KVM_CAP_VM_TYPES can be created.',
    source: 'API document, KVM_CREATE_VM',
    since: '6.8',
    check: (ctx) => {
      for (let type = 0; type < 32; type += 1)
        if (hasVmType(ctx, type)) ctx.accepts(() => ctx.vm(type), `VM type ${type}`);
    },
  },
  {
    id: 'create-vm/unlisted-types-einval',
    says: 'A type that is not in KVM_CAP_VM_TYPES is refused with EINVAL.',
    source: 'API document, KVM_CREATE_VM',
    check: (ctx) => {
      for (let type = 1; type < 32; type += 1)
        if (!hasVmType(ctx, type)) ctx.refuses('EINVAL', () => ctx.kvm.createVm(type), `VM type ${type}`);
    },
  },
  {
    id: 'create-vm/type-beyond-mask-einval',
    says: 'A type beyond the 32 bits of the mask is refused with EINVAL, not taken modulo 32.',
    source: 'API document, KVM_CREATE_VM',
    check: (ctx) => {
      for (const type of [32, 33, 64, 0x1_0000, 0x7fff_ffff])
        ctx.refuses('EINVAL', () => ctx.kvm.createVm(type), `VM type ${type}`);
    },
  },
  {
    id: 'create-vm/vms-are-independent',
    says: 'Memslots of one VM are nothing to another.',
    source: 'API document, KVM_CREATE_VM: a VM has no virtual CPUs and no memory',
    check: (ctx) => {
      const memory = ctx.memory(PAGE);
      ctx.slot(ctx.vm(), 0, 0, memory);
      const other = ctx.vm();
      ctx.accepts(() => ctx.slot(other, 0, 0, memory), 'the same slot in another VM');
    },
  },
];
