import type { BackendInfo } from '@unpin/kvm';
import { PAGE_BYTES } from '@unpin/kvm';
import type { Regime } from '@unpin/policy';
import {
  type Channel,
  COMMAND,
  CONVERSION_PORT,
  EXCHANGE_RESULT,
  exchangePattern,
  PROBE_PORT,
} from '../../probe/index.ts';
import { EXCHANGE_PAGES_MAX } from '../../probe/layout.ts';
import type { DoorbellRequest } from '../devices/index.ts';
import type { BoardOptions } from './board.ts';
import { convertByRequest } from './conversions.ts';
import { converts } from './create-vm.ts';
import { HYPERCALL_ENOSYS } from './map-gpa-range.ts';
import type { Witness } from './witness.ts';

/** How a probe reports on this machine: by the processor's own hypercall where that exits, else by a doorbell. Pure. */
export function probeChannel(regime: Regime, engine: BackendInfo['engine']): Channel {
  if (!converts(regime)) return 'none';
  if (engine === 'svm' || engine === 'wasm') return 'vmmcall';
  if (engine === 'vmx') return 'vmcall';
  return 'doorbell';
}

/** The devices that only a probe has: one that stands in for the hypercall, and the host that it exchanges pages with. */
export function probeDoorbells(witness: Witness): BoardOptions['doorbells'] {
  return [
    {
      port: CONVERSION_PORT,
      name: 'conversion-doorbell',
      handle: ({ gpa, count, command }) => convertByRequest(witness, gpa, count, command),
    },
    { port: PROBE_PORT, name: 'probe-doorbell', handle: (request) => serveProbe(witness, request) },
  ];
}

function serveProbe(witness: Witness, request: DoorbellRequest): number {
  switch (request.command) {
    case COMMAND.exchange:
      return exchange(witness, request);
    case COMMAND.end:
      witness.end({ reason: 'power-off', detail: `the probe found ${request.count} wrong` });
      return 0;
    default:
      return HYPERCALL_ENOSYS;
  }
}

/** The host uses the guest's pages, as a device would: judged first, and not done for a guest that must end for it. */
function exchange(witness: Witness, request: DoorbellRequest): number {
  const { memory, regime } = witness;
  const range = { gpa: request.gpa, size: request.count * PAGE_BYTES };
  const valid = request.count >= 1 && request.count <= EXCHANGE_PAGES_MAX && memory.covers(range);
  if (valid && witness.hostUse(range, 'virtqueue') !== undefined) return EXCHANGE_RESULT.private;
  return exchangePattern(memory, request, regime.conversions === 'hypercall');
}
