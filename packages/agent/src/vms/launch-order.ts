import { type DesiredVm, type LaunchOrder, UnpinError } from '@unpin/contract';
import { type Decision, decide, regimeOf, type Verdict, vmType } from '@unpin/policy';
import type { PreparedBoot } from '../inspection/inspect.ts';

/**
 * The launch order of a VM, from what was asked for and the verdict of its boot set as it is now. Pure. Fails closed:
 * BOOT_SET_CHANGED where the boot set is not the one that was judged, ADMISSION_REFUSED where this host's own decision
 * comes to something else than the control plane's (another version of the rules, or a decision that was tampered with).
 */
export function launchOrder(vm: DesiredVm, { verdict, extracted }: PreparedBoot): LaunchOrder {
  if (verdict.bootSet.digest !== vm.bootSet)
    throw new UnpinError('BOOT_SET_CHANGED', {
      subject: `VM ${vm.name}, image ${vm.image}`,
      found: `boot set ${verdict.bootSet.digest}`,
      needed: `boot set ${vm.bootSet}, as it was judged`,
      next: 'add what is there now as a new image with unpin image add',
    });
  const type = vmType(vm.type);
  const own = decide(type, verdict, vm.decision.waiver);
  if (gist(own) !== gist(vm.decision))
    throw new UnpinError('ADMISSION_REFUSED', {
      subject: `VM ${vm.name} as ${vm.type}`,
      found: `${gist(own)} by this host's rules`,
      needed: `${gist(vm.decision)}, as the control plane decided`,
      next: 'bring control plane and agent to the same version',
      detail: own,
    });
  return {
    contract: 1,
    name: vm.name,
    type: vm.type,
    regime: regimeOf(type),
    execution: vm.execution,
    memoryBytes: vm.memoryBytes,
    boot: bootOrder(vm, verdict, extracted),
    ...(vm.probation === undefined
      ? {}
      : {
          probation: {
            fallback: vm.probation.fallback,
            fallbackRegime: regimeOf(vmType(vm.probation.fallback)),
          },
        }),
  };
}

/** Outcome and how each need fares; the words around them may differ between versions. */
function gist({ outcome, reasons }: Pick<Decision, 'outcome' | 'reasons'>): string {
  return [outcome, ...reasons.map((reason) => `${reason.need} ${reason.outcome}`)].join(', ');
}

function bootOrder(
  { name, boot }: DesiredVm,
  { bootSet }: Verdict,
  extracted: PreparedBoot['extracted'],
): LaunchOrder['boot'] {
  switch (boot.kind) {
    case 'probe':
      return { kind: 'probe', flavour: boot.flavour };
    case 'disk': {
      if (extracted === undefined)
        throw new UnpinError('INTERNAL', { subject: `VM ${name}`, found: 'nothing was taken out of its disk image' });
      const { kernel, initrd, commandLine } = extracted;
      return {
        kind: 'linux',
        kernel,
        ...(initrd === undefined ? {} : { initrd }),
        ...(commandLine === undefined ? {} : { commandLine }),
      };
    }
    case 'linux':
      return {
        kind: 'linux',
        kernel: { path: boot.kernel, sha256: bootSet.kernel.sha256 },
        ...(boot.initrd === undefined || bootSet.initrd === undefined
          ? {}
          : { initrd: { path: boot.initrd, sha256: bootSet.initrd.sha256 } }),
        ...(boot.commandLine === undefined ? {} : { commandLine: boot.commandLine }),
      };
  }
}
