import { Heartbeat, HostWork, InspectionResult, Registered, Registration } from '../messages/host.ts';
import { Name } from '../messages/image.ts';
import { StartTrace, TraceId, TracePage, TraceQuery, TraceSince, TraceStarted } from '../messages/trace.ts';
import { VmStatus } from '../messages/vm.ts';
import { Conversion, Lie, VmEvent } from '../messages/vm-report.ts';
import type { Routes } from '../route.ts';
import { Type } from '../schema.ts';

const Host = Type.Object({ host: Name });
/** From the registration. A call with an older epoch than the host's is CONFLICT: another agent has taken over. */
const Fence = Type.Object({ epoch: Type.Number({ minimum: 1 }) });
const Uid = Type.Object({ uid: Type.String({ minLength: 1, maxLength: 64 }) });
const UidTrace = Type.Object({ uid: Type.String({ minLength: 1, maxLength: 64 }), trace: TraceId });
const Since = Type.Object({ since: Type.Optional(Type.Number({ minimum: 0 })) });
const Nothing = Type.Object({});

/** What the control plane answers to agents. */
export const hostRoutes = {
  registerHost: {
    method: 'PUT',
    path: '/v1/hosts/:host/registration',
    summary: 'An agent takes a host and says what it can run',
    params: Host,
    body: Registration,
    reply: Registered,
  },
  heartbeat: {
    method: 'PUT',
    path: '/v1/hosts/:host/heartbeat',
    summary: 'A sign of life',
    params: Host,
    query: Fence,
    body: Heartbeat,
    reply: Nothing,
  },
  watchWork: {
    method: 'GET',
    path: '/v1/hosts/:host/work',
    summary: 'All that the host shall do; waits while nothing has changed since a revision',
    params: Host,
    query: Type.Object({
      epoch: Type.Number({ minimum: 1 }),
      /** Revision of the last answer; 0 for an answer at once. */
      since: Type.Number({ minimum: 0 }),
      waitMs: Type.Number({ minimum: 0, maximum: 25_000 }),
    }),
    reply: HostWork,
  },
  putInspection: {
    method: 'PUT',
    path: '/v1/hosts/:host/inspections/:image',
    summary: 'What an inspection found',
    params: Type.Object({ host: Name, image: Name }),
    query: Fence,
    body: InspectionResult,
    reply: Nothing,
  },
  putVmStatus: {
    method: 'PUT',
    path: '/v1/hosts/:host/vms/:uid/status',
    summary: 'How one of its VMs is',
    params: Type.Object({ host: Name, uid: Type.String() }),
    query: Fence,
    body: VmStatus,
    reply: Nothing,
  },
} as const satisfies Routes;

/** What an agent answers to its control plane. */
export const agentRoutes = {
  getVmStatus: {
    method: 'GET',
    path: '/v1/vms/:uid',
    summary: 'A VM of this host as it is now',
    params: Uid,
    reply: VmStatus,
  },
  listVmEvents: {
    method: 'GET',
    path: '/v1/vms/:uid/events',
    summary: "Steps of a VM's start",
    params: Uid,
    query: Since,
    reply: Type.Object({ events: Type.Array(VmEvent) }),
  },
  listVmConversions: {
    method: 'GET',
    path: '/v1/vms/:uid/conversions',
    summary: 'Conversions of a VM',
    params: Uid,
    query: Since,
    reply: Type.Object({ total: Type.Number(), conversions: Type.Array(Conversion) }),
  },
  listVmLies: {
    method: 'GET',
    path: '/v1/vms/:uid/lies',
    summary: 'Lies of a VM',
    params: Uid,
    query: Since,
    reply: Type.Object({ total: Type.Number(), lies: Type.Array(Lie) }),
  },
  startVmTrace: {
    method: 'POST',
    path: '/v1/vms/:uid/traces',
    summary: 'Starts tracing a VM of this host, as long as someone reads',
    params: Uid,
    body: StartTrace,
    reply: TraceStarted,
    status: 201,
  },
  readVmTrace: {
    method: 'GET',
    path: '/v1/vms/:uid/traces/:trace',
    summary: 'Events of a trace from a sequence number on; waits for one where there is none yet',
    params: UidTrace,
    query: TraceQuery,
    reply: TracePage,
  },
  endVmTrace: {
    method: 'DELETE',
    path: '/v1/vms/:uid/traces/:trace',
    summary: 'Ends a trace and answers what it has from a sequence number on',
    params: UidTrace,
    query: TraceSince,
    reply: TracePage,
  },
} as const satisfies Routes;
