import { SnapshotDone, TakeSnapshot } from '../messages/snapshot.ts';
import { StartTrace, TraceId, TracePage, TraceQuery, TraceSince, TraceStarted } from '../messages/trace.ts';
import { Conversion, Lie, VmEvent, VmReport } from '../messages/vm-report.ts';
import type { Routes } from '../route.ts';
import { Type } from '../schema.ts';

const Trace = Type.Object({ trace: TraceId });
const Since = Type.Object({ since: Type.Optional(Type.Number({ minimum: 0 })) });

/**
 * What a VMM process answers on its Unix socket `<dir>/api.sock`. The console is a byte socket beside it,
 * `<dir>/console.sock`: it replays what was printed so far, then carries bytes both ways.
 */
export const vmmRoutes = {
  getVm: { method: 'GET', path: '/v1/vm', summary: 'The VM with its figures', reply: VmReport },
  listEvents: {
    method: 'GET',
    path: '/v1/vm/events',
    summary: 'Steps of the start, from a sequence number on',
    query: Since,
    reply: Type.Object({ events: Type.Array(VmEvent) }),
  },
  listConversions: {
    method: 'GET',
    path: '/v1/vm/conversions',
    summary: 'Conversions, from a sequence number on',
    query: Since,
    reply: Type.Object({ total: Type.Number(), conversions: Type.Array(Conversion) }),
  },
  listLies: {
    method: 'GET',
    path: '/v1/vm/lies',
    summary: 'Consequences of pages used in a view that was not reported',
    query: Since,
    reply: Type.Object({ total: Type.Number(), lies: Type.Array(Lie) }),
  },
  startTrace: {
    method: 'POST',
    path: '/v1/vm/traces',
    summary: 'Starts tracing the VM, as long as someone reads',
    body: StartTrace,
    reply: TraceStarted,
    status: 201,
  },
  readTrace: {
    method: 'GET',
    path: '/v1/vm/traces/:trace',
    summary: 'Events of a trace from a sequence number on; waits for one where there is none yet',
    params: Trace,
    query: TraceQuery,
    reply: TracePage,
  },
  endTrace: {
    method: 'DELETE',
    path: '/v1/vm/traces/:trace',
    summary: 'Ends a trace and answers what it has from a sequence number on',
    params: Trace,
    query: TraceSince,
    reply: TracePage,
  },
  takeSnapshot: {
    method: 'POST',
    path: '/v1/vm/snapshot',
    summary: 'Saves the VM to a file of its machine; it goes on, or ends',
    body: TakeSnapshot,
    reply: SnapshotDone,
  },
  stopVm: {
    method: 'POST',
    path: '/v1/vm/stop',
    summary: 'Ends the guest; the process ends when all has been given back',
    reply: VmReport,
  },
} as const satisfies Routes;
