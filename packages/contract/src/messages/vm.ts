import { ErrorBody } from '../errors/error-body.ts';
import { type Static, Type } from '../schema.ts';
import { ImageBoot, Name } from './image.ts';
import { DecisionMessage, Execution, VmTypeId, WaiverMessage } from './policy.ts';
import { Ending, Figures, VmReport, VmState } from './vm-report.ts';

export const CreateVm = Type.Object({
  name: Name,
  image: Name,
  /** A VM type's id; one that does not exist is VM_TYPE_UNKNOWN. */
  type: Type.String({ minLength: 1 }),
  /** Nominal memory in bytes, a multiple of 2 MiB. */
  memoryBytes: Type.Number(),
  /** How it may be run; `hardware` alone unless its creator allows more. */
  allow: Type.Optional(Type.Array(Execution, { minItems: 1, uniqueItems: true })),
  waiver: Type.Optional(WaiverMessage),
  /** Start unpinned; a guest that never reports is stopped before any I/O and started again pinned. */
  probation: Type.Optional(Type.Boolean()),
});
export type CreateVm = Static<typeof CreateVm>;

export const DesiredState = Type.Enum(['running', 'stopped']);
export type DesiredState = Static<typeof DesiredState>;

/** `scheduled`: stored and placed, its host has not yet spoken of it. The rest is what the host saw. */
export const VmPhase = Type.Union([Type.Literal('scheduled'), VmState]);
export type VmPhase = Static<typeof VmPhase>;

/** Sockets of a VM's VMM, on its host. */
export const VmSockets = Type.Object({ api: Type.String(), console: Type.String() });
export type VmSockets = Static<typeof VmSockets>;

/** What a host says of one of its VMs. */
export const VmStatus = Type.Object({
  uid: Type.String(),
  state: VmState,
  report: Type.Optional(VmReport),
  /** How it ended, and what it had used by then. */
  ending: Type.Optional(Ending),
  figures: Type.Optional(Figures),
  /** Why it failed, or was not started. */
  error: Type.Optional(ErrorBody),
  sockets: Type.Optional(VmSockets),
});
export type VmStatus = Static<typeof VmStatus>;

/** A VM that a host shall run, with everything it needs to judge and start it. */
export const DesiredVm = Type.Object({
  name: Name,
  uid: Type.String(),
  desired: DesiredState,
  image: Name,
  boot: ImageBoot,
  /** Digest of the boot set that was judged: nothing else may boot. */
  bootSet: Type.String(),
  type: VmTypeId,
  execution: Execution,
  memoryBytes: Type.Number(),
  /** What admission decided: the host's own decision must come to the same. */
  decision: DecisionMessage,
  probation: Type.Optional(Type.Object({ fallback: VmTypeId })),
});
export type DesiredVm = Static<typeof DesiredVm>;

export const VmView = Type.Object({
  name: Name,
  /** Tells two VMs of one name apart, and names the VM's directory on its host. */
  uid: Type.String(),
  image: Name,
  type: VmTypeId,
  memoryBytes: Type.Number(),
  host: Name,
  execution: Execution,
  confidential: Type.Boolean(),
  /** `SHAPED`, `EMULATED` or empty: what every view of this VM shows beside its name. */
  mark: Type.String(),
  allow: Type.Array(Execution),
  decision: DecisionMessage,
  probation: Type.Optional(Type.Object({ fallback: VmTypeId })),
  bootSet: Type.String(),
  desired: DesiredState,
  state: VmPhase,
  createdAt: Type.String(),
  /** The host's last word on it, and whether it was asked for just now. */
  report: Type.Optional(VmReport),
  live: Type.Boolean(),
  ending: Type.Optional(Ending),
  /** The latest figures: those of `report`, or of the end. */
  figures: Type.Optional(Figures),
  error: Type.Optional(ErrorBody),
  sockets: Type.Optional(VmSockets),
});
export type VmView = Static<typeof VmView>;
