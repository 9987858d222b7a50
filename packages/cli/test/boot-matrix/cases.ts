import type { VmTypeId } from '@unpin/policy';
import type { AssetId } from '@unpin/test-host';

/** One guest that boots to a shell in a test host, is spoken to, and powers itself off. */
export interface BootCase {
  readonly kernel: Extract<AssetId, `kernel-${string}`>;
  readonly type: VmTypeId;
  /** More arguments of `unpin run`. */
  readonly args?: readonly string[];
}

/** Every kernel under every type that it may have. */
export const MATRIX: readonly BootCase[] = [
  ...(['kernel-6.12-cloud', 'kernel-6.1-cloud'] as const).flatMap((kernel) =>
    (['standard', 'standard-pinned', 'sev', 'sev-deferred', 'sev-upm'] as const).map((type) => ({ kernel, type })),
  ),
  ...(['standard', 'standard-pinned', 'sev', 'sev-deferred'] as const).map((type) => ({
    kernel: 'kernel-5.10-cloud' as const,
    type,
  })),
];

/** What 5.10 does on a type that it may not have. */
export const LEGACY: readonly BootCase[] = [
  { kernel: 'kernel-5.10-cloud', type: 'sev-upm', args: ['--waive', 'to see it lie'] },
  { kernel: 'kernel-5.10-cloud', type: 'sev-upm', args: ['--probation'] },
  { kernel: 'kernel-6.12-cloud', type: 'sev-upm', args: ['--probation'] },
];

/** On a KVM that has guest_memfd for ordinary VMs: private memory is one. */
export const GUEST_MEMFD: readonly BootCase[] = [
  { kernel: 'kernel-6.12-cloud', type: 'sev-upm' },
  { kernel: 'kernel-6.12-cloud', type: 'standard-gmem' },
  { kernel: 'kernel-5.10-cloud', type: 'sev' },
];

export function nameOf(bootCase: BootCase): string {
  return [bootCase.kernel, bootCase.type, ...(bootCase.args ?? []).slice(0, 1)].join(' ');
}
