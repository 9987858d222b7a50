import { capability } from '../needs.ts';
import type { Rule } from '../rule.ts';

export const vmSetupRules: readonly Rule[] = [
  {
    id: 'vm-setup/boot-cpu-after-vcpu-ebusy',
    says: 'Which vCPU boots is decided before the first vCPU; later it is refused with EBUSY.',
    source: 'API document, KVM_SET_BOOT_CPU_ID',
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.accepts(() => vm.setBootCpuId(1), 'before');
      ctx.vcpu(vm);
      ctx.refuses('EBUSY', () => vm.setBootCpuId(0), 'after');
    },
  },
  {
    id: 'vm-setup/identity-map-after-vcpu-einval',
    says: 'The identity map’s address is set before the first vCPU; later it is refused with EINVAL.',
    source: 'API document, KVM_SET_IDENTITY_MAP_ADDR',
    needs: [capability('SET_IDENTITY_MAP_ADDR')],
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.accepts(() => vm.setIdentityMapAddress(0xfffb_c000), 'before');
      ctx.vcpu(vm);
      ctx.refuses('EINVAL', () => vm.setIdentityMapAddress(0xfffb_c000), 'after');
    },
  },
  {
    id: 'vm-setup/tss-address-beyond-4-gib-einval',
    says: 'The TSS pages lie within the first 4 GiB: an address whose pages reach beyond is refused with EINVAL.',
    source: 'API document, KVM_SET_TSS_ADDR',
    needs: [capability('SET_TSS_ADDR')],
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.refuses('EINVAL', () => vm.setTssAddress(0xffff_f000), 'the last page');
      ctx.accepts(() => vm.setTssAddress(0xfffb_d000), 'a good address');
    },
  },
  {
    id: 'vm-setup/clock-is-set-and-goes-on',
    says: 'The clock that a guest sees is set, and goes on from there.',
    source: 'API document, KVM_SET_CLOCK and KVM_GET_CLOCK',
    needs: [capability('ADJUST_CLOCK')],
    check: (ctx) => {
      const vm = ctx.vm();
      const set = 1_000_000_000_000_000n;
      vm.setClock(set);
      const [first, second] = [vm.getClock(), vm.getClock()];
      ctx.holds(first >= set, 'the clock is not before what was set', first);
      ctx.holds(second >= first, 'the clock does not go back', second - first);
    },
  },
];
