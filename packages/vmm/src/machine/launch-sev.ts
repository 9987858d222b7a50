import { PAGE_BYTES, type Vm } from '@unpin/kvm';
import type { AnyGuestMemory, Pinnable } from '@unpin/kvm/guest-memory';
import { DEFAULT_SEV_POLICY, type HvaRange, initSev, launchSev, openSevDevice } from '@unpin/kvm/sev';
import type { Execution, Regime } from '@unpin/policy';
import type { BootPlan } from '../boot/index.ts';

/**
 * The launch of a SEV guest on a KVM that has SEV: on hardware written as the API documents say and not yet run, on the
 * software KVM the same calls.
 */
export interface SevLaunch {
  /** After memory is registered and loaded and the vCPU is set up: encrypts what was loaded, measures, finishes. */
  readonly seal: (memory: AnyGuestMemory, plan: BootPlan) => void;
  readonly close: () => void;
}

/**
 * Makes a VM a SEV guest (KVM_SEV_INIT2, before its first vCPU); null for regimes and executions without SEV hardware.
 * @throws SevError, KvmError where there is no /dev/sev
 */
export function openSevLaunch(vm: Vm, regime: Regime, execution: Execution): SevLaunch | null {
  if (execution === 'shaped' || (regime.tech !== 'sev' && regime.tech !== 'sev-es')) return null;
  // The software KVM is its own firmware.
  const device = execution === 'hardware' ? openSevDevice() : { fd: -1, close: () => {} };
  const target = { vm, sevFd: device.fd };
  const encryptedState = regime.tech === 'sev-es';
  try {
    initSev(target, { encryptedState });
  } catch (cause) {
    device.close();
    throw cause;
  }
  return {
    seal: (memory, plan) => {
      const policy = { ...DEFAULT_SEV_POLICY, encryptedState };
      launchSev(target, { policy, ranges: loadedPages(memory.loadable, memory.ranges, plan) });
      memory.sealed();
    },
    close: () => device.close(),
  };
}

/**
 * The pages that a plan's bytes lie in, once each and ascending, by their addresses in this process. Pages that the
 * plan leaves empty stay out: the guest reads them as garbage until it has written them, as SEV has it.
 */
export function loadedPages(
  backing: readonly Pinnable[],
  ram: AnyGuestMemory['ranges'],
  plan: BootPlan,
): readonly HvaRange[] {
  const spans: { start: number; end: number }[] = [];
  for (const { gpa, size } of plan.pieces) {
    const start = Math.floor(gpa / PAGE_BYTES) * PAGE_BYTES;
    const end = Math.ceil((gpa + size) / PAGE_BYTES) * PAGE_BYTES;
    const last = spans.at(-1);
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, end);
    else spans.push({ start, end });
  }
  return spans.flatMap(({ start, end }) => hvaRanges(backing, ram, start, end));
}

/** RAM ranges lie one behind the other in their backing. */
function hvaRanges(
  backing: readonly Pinnable[],
  ram: AnyGuestMemory['ranges'],
  start: number,
  end: number,
): readonly HvaRange[] {
  const found: HvaRange[] = [];
  let offset = 0;
  for (const range of ram) {
    const from = Math.max(start, range.gpa);
    const to = Math.min(end, range.gpa + range.size);
    if (from < to) {
      const at = offset + (from - range.gpa);
      const part = backing.find((item) => at >= item.offset && at + (to - from) <= item.offset + item.size);
      if (part === undefined) throw new RangeError(`no memory behind GPA 0x${from.toString(16)}`);
      found.push({ hva: part.memory.hva + at, length: to - from });
    }
    offset += range.size;
  }
  return found;
}
