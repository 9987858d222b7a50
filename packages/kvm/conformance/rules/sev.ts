import { noSev, sev } from '../needs.ts';
import { PAGE, SEV, VM_TYPE } from '../numbers.ts';
import type { Rule } from '../rule.ts';

/** Commands that only a VM that was made an SEV one may use, and the size of their struct. */
const LAUNCH_COMMANDS = [
  ['LAUNCH_START', 40],
  ['LAUNCH_UPDATE_DATA', 16],
  ['LAUNCH_UPDATE_VMSA', 0],
  ['LAUNCH_SECRET', 48],
  ['LAUNCH_MEASURE', 16],
  ['LAUNCH_FINISH', 0],
  ['GUEST_STATUS', 12],
  ['SNP_LAUNCH_START', 64],
  ['SNP_LAUNCH_UPDATE', 64],
  ['SNP_LAUNCH_FINISH', 112],
] as const satisfies readonly (readonly [keyof typeof SEV, number])[];

const data = (bytes: number): Uint8Array | null => (bytes === 0 ? null : new Uint8Array(bytes));

export const sevRules: readonly Rule[] = [
  {
    id: 'sev/probe-without-sev-enotty',
    says: 'Without SEV, KVM_MEMORY_ENCRYPT_OP with no argument says so with ENOTTY.',
    source: 'API document, KVM_MEMORY_ENCRYPT_OP; kernel, arch/x86/kvm/svm/sev.c',
    needs: [noSev],
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.refuses('ENOTTY', () => vm.probeMemoryEncrypt());
    },
  },
  {
    id: 'sev/probe-with-sev-ok',
    says: 'With SEV, KVM_MEMORY_ENCRYPT_OP with no argument succeeds on every VM.',
    source: 'API document, KVM_MEMORY_ENCRYPT_OP',
    needs: [sev],
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.accepts(() => vm.probeMemoryEncrypt());
    },
  },
  {
    id: 'sev/commands-on-default-vm-enotty',
    says: 'Launch commands on a VM that is not an SEV one are refused with ENOTTY.',
    source: 'kernel, arch/x86/kvm/svm/sev.c',
    check: (ctx) => {
      const vm = ctx.vm();
      for (const [name, bytes] of LAUNCH_COMMANDS)
        ctx.refuses(
          'ENOTTY',
          () => vm.memoryEncryptOp({ name, id: SEV[name], data: data(bytes), sevFd: -1 }),
          `KVM_SEV_${name}`,
        );
    },
  },
  {
    id: 'sev/init-without-sev-enotty',
    says: 'Without SEV, every way to make a VM an SEV one is refused with ENOTTY.',
    source: 'kernel, arch/x86/kvm/svm/sev.c',
    needs: [noSev],
    check: (ctx) => {
      const vm = ctx.vm();
      for (const [name, bytes] of [
        ['INIT', 0],
        ['ES_INIT', 0],
        ['INIT2', 48],
      ] as const)
        ctx.refuses(
          'ENOTTY',
          () => vm.memoryEncryptOp({ name, id: SEV[name], data: data(bytes), sevFd: -1 }),
          `KVM_SEV_${name}`,
        );
    },
  },
  {
    id: 'sev/init2-on-default-vm-einval',
    says: 'INIT2 belongs to the SEV VM types: a default VM refuses it with EINVAL.',
    source: 'sev_init2_tests',
    since: '6.10',
    needs: [sev],
    check: (ctx) => {
      const vm = ctx.vm();
      const init2 = { name: 'INIT2', id: SEV.INIT2, data: new Uint8Array(48), sevFd: -1 };
      ctx.refuses('EINVAL', () => vm.memoryEncryptOp(init2));
    },
  },
  {
    id: 'sev/init2-flags-einval',
    says: 'Each flag of INIT2 is refused with EINVAL: none is defined.',
    source: 'sev_init2_tests',
    since: '6.10',
    needs: [sev],
    check: (ctx) => {
      for (let bit = 0; bit < 32; bit += 1) {
        const init = new Uint8Array(48);
        new DataView(init.buffer).setUint32(8, 2 ** bit, true);
        const vm = ctx.vm(VM_TYPE.SEV);
        const command = { name: 'INIT2', id: SEV.INIT2, data: init, sevFd: -1 };
        ctx.refuses('EINVAL', () => vm.memoryEncryptOp(command), `flag bit ${bit}`);
      }
    },
  },
  {
    id: 'sev/unknown-command-einval',
    says: 'A command that KVM does not define is refused with EINVAL on a machine with SEV.',
    source: 'kernel, arch/x86/kvm/svm/sev.c',
    needs: [sev],
    check: (ctx) => {
      const vm = ctx.vm();
      ctx.refuses('EINVAL', () => vm.memoryEncryptOp({ name: 'unknown', id: 99, data: null, sevFd: -1 }));
    },
  },
  {
    id: 'sev/register-region-on-default-vm-enotty',
    says: 'Pinning memory for encryption on a VM that is not an SEV one is refused with ENOTTY, whatever the range.',
    source: 'API document, KVM_MEMORY_ENCRYPT_REG_REGION',
    check: (ctx) => {
      const vm = ctx.vm();
      const memory = ctx.memory(PAGE);
      ctx.refuses('ENOTTY', () => vm.registerEncryptedRegion(memory.hva, PAGE), 'a page');
      ctx.refuses('ENOTTY', () => vm.registerEncryptedRegion(memory.hva, 0), 'nothing');
      ctx.refuses('ENOTTY', () => vm.registerEncryptedRegion(2n ** 64n - 1n, 2), 'a range that wraps');
    },
  },
  {
    id: 'sev/unregister-region-on-default-vm-enotty',
    says: 'Unpinning on a VM that is not an SEV one is refused with ENOTTY.',
    source: 'API document, KVM_MEMORY_ENCRYPT_UNREG_REGION',
    check: (ctx) => {
      const vm = ctx.vm();
      const memory = ctx.memory(PAGE);
      ctx.refuses('ENOTTY', () => vm.unregisterEncryptedRegion(memory.hva, PAGE));
    },
  },
];
