import { Conversion, Lie, VmEvent, VmReport } from '../messages/vm-report.ts';
import type { Routes } from '../route.ts';
import { Type } from '../schema.ts';

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
  stopVm: {
    method: 'POST',
    path: '/v1/vm/stop',
    summary: 'Ends the guest; the process ends when all has been given back',
    reply: VmReport,
  },
} as const satisfies Routes;
