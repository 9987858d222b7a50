import { type Static, Type } from '../schema.ts';
import { Execution, VmTypeId } from './policy.ts';

/** One way in which a machine runs a VM type. */
export const Way = Type.Object({
  execution: Execution,
  confidential: Type.Boolean(),
  /** Whether Linux can boot this way, or only small guests (the probe). */
  bootsLinux: Type.Boolean(),
  /** Where private memory would live: `guest_memfd`, `memfd`, `memslots`. */
  privateMemory: Type.String(),
});

/** What one VM type is on this machine: how it would run here, or why it does not. */
export const TypeCapability = Type.Object({
  type: VmTypeId,
  /** The most genuine first; empty where the type does not run here. */
  ways: Type.Array(Way),
  /** What stands in the way of the others, one line each. */
  obstacles: Type.Array(Type.String()),
});
export type TypeCapability = Static<typeof TypeCapability>;

/** What `unpin-vmm --capabilities` prints: facts of this machine, each found by asking it. */
export const Capabilities = Type.Object({
  vmm: Type.Object({ version: Type.String(), contract: Type.Number() }),
  host: Type.Object({
    kernel: Type.String(),
    cpuModel: Type.String(),
    cpus: Type.Number(),
    memoryBytes: Type.Number(),
    availableBytes: Type.Number(),
  }),
  kvm: Type.Object({
    present: Type.Boolean(),
    /** `svm`, `vmx`, `pvm`, `unknown`; absent without KVM. */
    engine: Type.Optional(Type.String()),
    problem: Type.Optional(Type.String()),
    /** Whether a guest's hypercall reached user space when it was tried. */
    hypercallsExit: Type.Optional(Type.Boolean()),
    /** Guest instructions a second in ring 0, as measured by a small guest. */
    ringZeroMips: Type.Optional(Type.Number()),
    bootsLinux: Type.Boolean(),
  }),
  features: Type.Array(
    Type.Object({ id: Type.String(), present: Type.Boolean(), detail: Type.Optional(Type.String()) }),
  ),
  types: Type.Array(TypeCapability),
});
export type Capabilities = Static<typeof Capabilities>;
