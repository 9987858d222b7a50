import { type Static, Type } from '../schema.ts';
import { Execution, VmTypeId } from './policy.ts';

/** What one VM type is on this machine: how it would run here, or why it does not. */
export const TypeCapability = Type.Object({
  type: VmTypeId,
  available: Type.Boolean(),
  /** How it runs here, where it does. */
  execution: Type.Optional(Execution),
  confidential: Type.Boolean(),
  /** Whether this machine's KVM can boot Linux with it, or only small guests (the probe). */
  bootsLinux: Type.Boolean(),
  /** Where private memory would live: `guest_memfd`, `memfd`, `memslots`. */
  privateMemory: Type.Optional(Type.String()),
  /** What stands in the way, one line each; empty where available. */
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
