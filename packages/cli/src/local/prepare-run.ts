import { resolve } from 'node:path';
import { type LaunchOrder, type TraceKind, UnpinError } from '@unpin/contract';
import {
  type Decision,
  decide,
  pinnedFallback,
  probationFor,
  regimeOf,
  type Verdict,
  type VmType,
  type VmTypeId,
  vmType,
} from '@unpin/policy';
import type { RunOptions } from '../commands/run.ts';
import { parseTraceKinds } from '../commands/trace-kinds.ts';
import { requireVmType } from '../commands/vm-types.ts';
import { parseSize } from '../render/units.ts';
import { inspectFile } from './inspect.ts';
import { wayToRun } from './way-to-run.ts';

/** What a local run will do: the order for the VMM, and the decision that allowed it (none for the probe). */
export interface PreparedRun {
  readonly order: LaunchOrder;
  readonly decision?: Decision;
}

/**
 * Judges the image, resolves the regime and finds how this machine runs the type. Throws ADMISSION_REFUSED or
 * ADMISSION_UNKNOWN with the decision, VM_TYPE_UNAVAILABLE, VM_TYPE_NOT_BUILT, KVM_TOO_SLOW.
 */
export async function prepareRun(kernel: string, options: RunOptions): Promise<PreparedRun> {
  const type = requireVmType(options.type);
  const memoryBytes = parseSize(options.memory, '--memory');
  const traced = tracedKinds(options.trace);
  const probe = kernel === 'probe';
  const verdict = probe
    ? undefined
    : await inspectFile(kernel, options.append === undefined ? {} : { commandLine: options.append });
  const decision = verdict === undefined ? undefined : admit(type, verdict, options);
  const fallback = options.probation === true ? fallbackOf(type) : undefined;
  const way = await wayToRun(type, { kvm: options.kvm ?? 'auto', linux: !probe });
  const order: LaunchOrder = {
    contract: 1,
    name: 'run',
    type: type.id,
    regime: regimeOf(type),
    execution: way.execution,
    memoryBytes,
    boot:
      verdict === undefined
        ? { kind: 'probe', flavour: options.flavour }
        : {
            kind: 'linux',
            kernel: { path: resolve(kernel), sha256: verdict.bootSet.kernel.sha256 },
            ...(options.initrd === undefined ? {} : { initrd: { path: resolve(options.initrd) } }),
            ...(options.append === undefined ? {} : { commandLine: options.append }),
            ...(options.inGuestDecompress === true ? { unpackedBy: 'guest' } : {}),
          },
    ...(fallback === undefined ? {} : { probation: { fallback, fallbackRegime: regimeOf(vmType(fallback)) } }),
    ...(options.stopOnLie === true ? { onLie: 'stop' } : {}),
    ...(traced === undefined ? {} : { trace: { kinds: traced } }),
    ...(options.timeout === undefined ? {} : { timeoutMs: options.timeout * 1000 }),
  };
  return { order, ...(decision === undefined ? {} : { decision }) };
}

/** @throws UnpinError USAGE */
export function tracedKinds(option: RunOptions['trace']): TraceKind[] | undefined {
  if (option === undefined || option === false) return undefined;
  return option === true ? ['conversions'] : parseTraceKinds(option, '--trace');
}

/** Admission for one local run: probation and a waiver let it start, the decision keeps every reason. */
function admit(type: VmType, verdict: Verdict, options: RunOptions): Decision {
  const waiver =
    options.waive === undefined ? undefined : { by: process.env['USER'] ?? 'operator', reason: options.waive };
  const decision = decide(type, verdict, waiver);
  if (decision.outcome === 'may' || decision.outcome === 'waived') return decision;
  if (options.probation === true && probationFor(type, verdict, decision).kind === 'covered') return decision;
  throw new UnpinError(decision.outcome === 'may-not' ? 'ADMISSION_REFUSED' : 'ADMISSION_UNKNOWN', {
    subject: `${verdict.bootSet.kernel.name} as ${type.id}`,
    detail: decision,
  });
}

/** The pinned type that probation falls back on. Throws USAGE for a type that does not live by reports. */
function fallbackOf(type: VmType): VmTypeId {
  const fallback = pinnedFallback(type);
  if (fallback === undefined)
    throw new UnpinError('USAGE', {
      subject: '--probation',
      found: `--type ${type.id}`,
      needed: 'a type whose guests report conversions, such as sev-upm',
    });
  return fallback.id;
}
