import { ErrorBody } from '../errors/error-body.ts';
import { type Static, Type } from '../schema.ts';
import { Capabilities } from './capabilities.ts';
import { ImageBoot, Name } from './image.ts';
import { VerdictMessage } from './policy.ts';
import { DesiredVm } from './vm.ts';

/** Where an agent answers. */
export const Endpoint = Type.Union([Type.Object({ url: Type.String() }), Type.Object({ socketPath: Type.String() })]);
export type Endpoint = Static<typeof Endpoint>;

export const AgentFacts = Type.Object({ version: Type.String(), contract: Type.Number(), pid: Type.Number() });
export type AgentFacts = Static<typeof AgentFacts>;

export const Registration = Type.Object({ agent: AgentFacts, endpoint: Endpoint, capabilities: Capabilities });
export type Registration = Static<typeof Registration>;

/** `epoch` fences: every later call of this agent carries it, and a newer registration of the host ends it. */
export const Registered = Type.Object({
  epoch: Type.Number(),
  /** Milliseconds between heartbeats, and without one after which the host counts as lost. */
  heartbeatMs: Type.Number(),
  leaseMs: Type.Number(),
});
export type Registered = Static<typeof Registered>;

export const Heartbeat = Type.Object({
  availableBytes: Type.Number(),
  /** VMM processes that run on this host and that the control plane did not ask for. */
  strays: Type.Array(Type.String()),
});
export type Heartbeat = Static<typeof Heartbeat>;

/** An image whose files this host may inspect. */
export const InspectionOrder = Type.Object({ name: Name, generation: Type.Number(), boot: ImageBoot });
export type InspectionOrder = Static<typeof InspectionOrder>;

/** All that a host shall do, as it stands at a revision: a level, not a difference, so that nothing can be missed. */
export const HostWork = Type.Object({
  revision: Type.Number(),
  inspections: Type.Array(InspectionOrder),
  /** VMs that are not over, in either desired state. */
  vms: Type.Array(DesiredVm),
  /** VMs that are over, by uid: never to be started again, and their directories kept until they are deleted. */
  over: Type.Array(Type.String()),
});
export type HostWork = Static<typeof HostWork>;

/** What became of an inspection. `generation` is that of the order: an answer to an older one is dropped. */
export const InspectionResult = Type.Object({
  generation: Type.Number(),
  verdict: Type.Optional(VerdictMessage),
  error: Type.Optional(ErrorBody),
});
export type InspectionResult = Static<typeof InspectionResult>;

export const HostView = Type.Object({
  name: Name,
  /** `lost`: no sign of life within the lease. Its VMs go on. */
  state: Type.Enum(['up', 'lost']),
  epoch: Type.Number(),
  agent: AgentFacts,
  capabilities: Capabilities,
  registeredAt: Type.String(),
  lastSeenAt: Type.Optional(Type.String()),
  availableBytes: Type.Number(),
  strays: Type.Array(Type.String()),
});
export type HostView = Static<typeof HostView>;
