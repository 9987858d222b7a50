import { type Static, Type } from '../schema.ts';
import { Execution, RegimeMessage, VmTypeId } from './policy.ts';

/** preparing → pinning → loading → running → ended, or failed from anywhere. `restarting`: probation ended pinned. */
export const VmState = Type.Union([
  Type.Literal('preparing'),
  Type.Literal('pinning'),
  Type.Literal('loading'),
  Type.Literal('running'),
  Type.Literal('restarting'),
  Type.Literal('ended'),
  Type.Literal('failed'),
]);
export type VmState = Static<typeof VmState>;

/** Bytes, as the operating system and KVM count them. */
export const Figures = Type.Object({
  nominal: Type.Number(),
  resident: Type.Number(),
  private: Type.Number(),
  shared: Type.Number(),
  pinned: Type.Number(),
  unmovable: Type.Number(),
  conversions: Type.Number(),
  exits: Type.Record(Type.String(), Type.Number()),
  /** Milliseconds from the process's start to the first guest instruction, and to the last console line. */
  startMs: Type.Optional(Type.Number()),
  lastLineMs: Type.Optional(Type.Number()),
  pinMs: Type.Optional(Type.Number()),
});
export type Figures = Static<typeof Figures>;

/** One conversion that the guest asked for. */
export const Conversion = Type.Object({
  seq: Type.Number(),
  /** Milliseconds since the first instruction. */
  atMs: Type.Number(),
  gpa: Type.Number(),
  bytes: Type.Number(),
  to: Type.Union([Type.Literal('private'), Type.Literal('shared')]),
  /** Guest RIP, hexadecimal, and its symbol where the kernel's own table has one. */
  rip: Type.String(),
  symbol: Type.Optional(Type.String()),
  changedBytes: Type.Number(),
  discardedBytes: Type.Number(),
  microseconds: Type.Number(),
  /** The value that the guest got: 0, or a negative errno. */
  ret: Type.Number(),
});
export type Conversion = Static<typeof Conversion>;

/** A consequence of a page used in another view than the guest reported. */
export const Lie = Type.Object({
  seq: Type.Number(),
  atMs: Type.Number(),
  kind: Type.Union([Type.Literal('consumed-other-view'), Type.Literal('consumed-discarded'), Type.Literal('host-use')]),
  gpa: Type.Number(),
  bytes: Type.Number(),
  /** The view that the guest, or the host, used. */
  view: Type.Union([Type.Literal('private'), Type.Literal('shared')]),
  rip: Type.String(),
  symbol: Type.Optional(Type.String()),
  /** What the host was asked to use the page for: `kvm-clock`, `steal-time`. */
  hostUse: Type.Optional(Type.String()),
  /** What SEV hardware would have done. */
  onHardware: Type.String(),
});
export type Lie = Static<typeof Lie>;

/** One step of a VM's start, for progress. */
export const VmEvent = Type.Object({
  seq: Type.Number(),
  atMs: Type.Number(),
  what: Type.String(),
  /** 0..1 where the step has a measure. */
  progress: Type.Optional(Type.Number()),
});
export type VmEvent = Static<typeof VmEvent>;

/** How a VM ended. */
export const Ending = Type.Object({
  /** `power-off`, `reboot`, `stopped`, `crashed`, `stuck`, `timeout`, `lie` (the order says to stop at one), `failed`. */
  reason: Type.String(),
  detail: Type.Optional(Type.String()),
});
export type Ending = Static<typeof Ending>;

export const VmReport = Type.Object({
  name: Type.String(),
  pid: Type.Number(),
  state: VmState,
  type: VmTypeId,
  regime: RegimeMessage,
  execution: Execution,
  confidential: Type.Boolean(),
  /** `SHAPED`, `EMULATED` or empty: what every view of this VM shows beside its name. */
  mark: Type.String(),
  kernel: Type.Optional(Type.String()),
  memoryBytes: Type.Number(),
  cBit: Type.Optional(Type.Number()),
  /** What holds private memory: `guest_memfd`, `memfd`, `memslots`. */
  privateMemory: Type.String(),
  figures: Figures,
  lies: Type.Number(),
  wrongViewAccesses: Type.Number(),
  /** Pages that changed views too often to be watched on: what happens to them is no longer judged. */
  saturatedPages: Type.Optional(Type.Number()),
  /** What probation found, where it was asked for. */
  probation: Type.Optional(Type.String()),
  ending: Type.Optional(Ending),
});
export type VmReport = Static<typeof VmReport>;
