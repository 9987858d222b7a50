import { AdmitAnswer, AdmitRequest } from '../messages/admission.ts';
import { AuditRecord, Change } from '../messages/audit.ts';
import { Health } from '../messages/health.ts';
import { HostView } from '../messages/host.ts';
import { AddImage, ImageView, Name } from '../messages/image.ts';
import { StartTrace, TraceId, TracePage, TraceQuery, TraceSince, TraceStarted } from '../messages/trace.ts';
import { CreateVm, VmView } from '../messages/vm.ts';
import { Conversion, Lie, VmEvent } from '../messages/vm-report.ts';
import { VmTypeView } from '../messages/vm-type.ts';
import type { Routes } from '../route.ts';
import { Type } from '../schema.ts';

const Named = Type.Object({ name: Name });
const NamedTrace = Type.Object({ name: Name, trace: TraceId });
const Since = Type.Object({ since: Type.Optional(Type.Number({ minimum: 0 })) });

/** What the control plane answers to people and their programs. */
export const controlRoutes = {
  getHealth: { method: 'GET', path: '/v1/health', summary: 'Whether it serves, and its database', reply: Health },
  listVmTypes: {
    method: 'GET',
    path: '/v1/vm-types',
    summary: 'All VM types, and what each host offers of them',
    reply: Type.Object({ types: Type.Array(VmTypeView) }),
  },
  listImages: {
    method: 'GET',
    path: '/v1/images',
    summary: 'All images with their verdicts',
    reply: Type.Object({ images: Type.Array(ImageView) }),
  },
  getImage: { method: 'GET', path: '/v1/images/:name', summary: 'An image', params: Named, reply: ImageView },
  addImage: {
    method: 'POST',
    path: '/v1/images',
    summary: 'Adds an image; an agent then inspects it',
    body: AddImage,
    reply: ImageView,
    status: 201,
  },
  deleteImage: {
    method: 'DELETE',
    path: '/v1/images/:name',
    summary: 'Deletes an image that no VM uses',
    params: Named,
    reply: ImageView,
  },
  admit: {
    method: 'POST',
    path: '/v1/admit',
    summary: 'Decides whether an image may have a VM type, with every reason, and creates nothing',
    body: AdmitRequest,
    reply: AdmitAnswer,
  },
  listVms: {
    method: 'GET',
    path: '/v1/vms',
    summary: 'All VMs as their hosts last reported them',
    reply: Type.Object({ vms: Type.Array(VmView) }),
  },
  getVm: {
    method: 'GET',
    path: '/v1/vms/:name',
    summary: 'A VM, with its figures as they are now where its host answers',
    params: Named,
    reply: VmView,
  },
  createVm: {
    method: 'POST',
    path: '/v1/vms',
    summary: 'Admits, places and stores a VM; its host then starts it',
    body: CreateVm,
    reply: VmView,
    status: 201,
  },
  stopVm: {
    method: 'POST',
    path: '/v1/vms/:name/stop',
    summary: 'Wants a VM stopped; its host then ends it',
    params: Named,
    reply: VmView,
  },
  deleteVm: {
    method: 'DELETE',
    path: '/v1/vms/:name',
    summary: 'Deletes a VM that has ended',
    params: Named,
    reply: VmView,
  },
  listVmEvents: {
    method: 'GET',
    path: '/v1/vms/:name/events',
    summary: "Steps of a VM's start, asked from its host",
    params: Named,
    query: Since,
    reply: Type.Object({ events: Type.Array(VmEvent) }),
  },
  listVmConversions: {
    method: 'GET',
    path: '/v1/vms/:name/conversions',
    summary: 'Conversions of a VM, asked from its host',
    params: Named,
    query: Since,
    reply: Type.Object({ total: Type.Number(), conversions: Type.Array(Conversion) }),
  },
  listVmLies: {
    method: 'GET',
    path: '/v1/vms/:name/lies',
    summary: 'Lies of a VM, asked from its host',
    params: Named,
    query: Since,
    reply: Type.Object({ total: Type.Number(), lies: Type.Array(Lie) }),
  },
  startVmTrace: {
    method: 'POST',
    path: '/v1/vms/:name/traces',
    summary: 'Starts tracing a VM on its host, as long as someone reads',
    params: Named,
    body: StartTrace,
    reply: TraceStarted,
    status: 201,
  },
  readVmTrace: {
    method: 'GET',
    path: '/v1/vms/:name/traces/:trace',
    summary: 'Events of a trace from a sequence number on; waits for one where there is none yet',
    params: NamedTrace,
    query: TraceQuery,
    reply: TracePage,
  },
  endVmTrace: {
    method: 'DELETE',
    path: '/v1/vms/:name/traces/:trace',
    summary: 'Ends a trace and answers what it has from a sequence number on',
    params: NamedTrace,
    query: TraceSince,
    reply: TracePage,
  },
  listHosts: {
    method: 'GET',
    path: '/v1/hosts',
    summary: 'All hosts with what they can run',
    reply: Type.Object({ hosts: Type.Array(HostView) }),
  },
  getHost: { method: 'GET', path: '/v1/hosts/:name', summary: 'A host', params: Named, reply: HostView },
  listAudit: {
    method: 'GET',
    path: '/v1/audit',
    summary: 'The audit log, from after a sequence number on',
    query: Type.Object({
      since: Type.Optional(Type.Number({ minimum: 0 })),
      limit: Type.Optional(Type.Number({ minimum: 1, maximum: 1000 })),
    }),
    reply: Type.Object({ records: Type.Array(AuditRecord) }),
  },
  watch: {
    method: 'GET',
    path: '/v1/watch',
    summary: 'Changes after a revision; waits for one where there is none yet',
    query: Type.Object({
      since: Type.Optional(Type.Number({ minimum: 0 })),
      /** Milliseconds to wait for a change; 0 unless said. */
      waitMs: Type.Optional(Type.Number({ minimum: 0, maximum: 25_000 })),
    }),
    reply: Type.Object({
      revision: Type.Number(),
      /** The log no longer reaches back to `since`: read everything again. */
      resync: Type.Boolean(),
      changes: Type.Array(Change),
    }),
  },
} as const satisfies Routes;
