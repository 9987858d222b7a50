import type { LaunchOrder } from '@unpin/contract';
import { UnpinError } from '@unpin/contract/errors';
import { type Regime, type Runner, regimeOf, sameRegime, type VmType, vmType } from '@unpin/policy';
import type { HostMemoryFacts } from '../figures/host-facts.ts';

/** Guest memory comes in these units, in bytes: a huge page of x86. */
export const MEMORY_GRANULE = 2 * 1024 * 1024;
/** Unpinned guests may have this many times the host's memory on paper. What they touch must fit all the same. */
export const MAX_OVERCOMMIT = 16;

/**
 * Whether this VMM would run an order as it says, before anything is created. Pure.
 * @throws UnpinError LAUNCH_ORDER_MISMATCH, LAUNCH_ORDER_INVALID, VM_TYPE_UNAVAILABLE, VM_TYPE_NOT_BUILT,
 * MEMORY_INVALID, MEMORY_EXCEEDS_HOST
 */
export function checkOrder(order: LaunchOrder, host: HostMemoryFacts): void {
  const type = vmType(order.type);
  checkRegime(order.regime, type);
  checkRunner(type, order.execution);
  checkMemory(order, host, order.regime.pinning === 'upfront');
  if (order.probation !== undefined) {
    const fallback = vmType(order.probation.fallback);
    checkRegime(order.probation.fallbackRegime, fallback);
    checkFallback(type, fallback);
    checkRunner(fallback, order.execution);
    checkMemory(order, host, fallback.pinning === 'upfront');
  }
}

/** A control plane of another version may mean something else by a type: then nothing runs. */
function checkRegime(found: Regime, type: VmType): void {
  const needed = regimeOf(type);
  if (sameRegime(found, needed)) return;
  throw new UnpinError('LAUNCH_ORDER_MISMATCH', {
    subject: `type ${type.id}`,
    found: JSON.stringify(found),
    needed: JSON.stringify(needed),
    next: 'run the same version of unpin on the control plane and on this machine',
  });
}

function checkRunner(type: VmType, execution: LaunchOrder['execution']): Runner {
  const runner = type.runners.find((row) => row.execution === execution);
  if (runner === undefined)
    throw new UnpinError('VM_TYPE_UNAVAILABLE', {
      subject: `type ${type.id}`,
      found: `execution ${execution}`,
      needed: type.runners.map((row) => row.execution).join(' or '),
    });
  if (!runner.built) throw new UnpinError('VM_TYPE_NOT_BUILT', { subject: `type ${type.id}, ${execution}` });
  return runner;
}

/** Probation makes sense where a guest that doesn't report would be harmed, and its fallback must not harm it. */
function checkFallback(type: VmType, fallback: VmType): void {
  const fits = type.conversions === 'hypercall' && fallback.tech === type.tech && fallback.pinning === 'upfront';
  if (fits) return;
  throw new UnpinError('LAUNCH_ORDER_INVALID', {
    subject: `probation of type ${type.id} with fallback ${fallback.id}`,
    needed: 'a type whose guests report by hypercall, and a fallback of the same technique that pins upfront',
  });
}

function checkMemory(order: LaunchOrder, host: HostMemoryFacts, pinnedUpfront: boolean): void {
  const { memoryBytes } = order;
  const subject = `memory of ${order.name}`;
  if (!Number.isSafeInteger(memoryBytes) || memoryBytes <= 0 || memoryBytes % MEMORY_GRANULE !== 0)
    throw new UnpinError('MEMORY_INVALID', {
      subject,
      found: `${memoryBytes} bytes`,
      needed: 'a multiple of 2 MiB above 0',
    });
  if (pinnedUpfront && memoryBytes > host.availableBytes)
    throw new UnpinError('MEMORY_EXCEEDS_HOST', {
      subject,
      found: `${mib(memoryBytes)}, all of it pinned before the start`,
      needed: `at most the ${mib(host.availableBytes)} that are available here`,
    });
  if (memoryBytes > host.totalBytes * MAX_OVERCOMMIT)
    throw new UnpinError('MEMORY_EXCEEDS_HOST', {
      subject,
      found: mib(memoryBytes),
      needed: `at most ${MAX_OVERCOMMIT} times the ${mib(host.totalBytes)} of this host`,
    });
}

function mib(bytes: number): string {
  return `${Math.floor(bytes / (1024 * 1024))} MiB`;
}
