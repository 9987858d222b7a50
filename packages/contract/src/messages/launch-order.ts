import { type Static, Type } from '../schema.ts';
import { Execution, RegimeMessage, VmTypeId } from './policy.ts';
import { StartTrace } from './trace.ts';

/** What boots. Paths are of the machine that runs the VMM; digests are of the bytes that were judged. */
export const BootOrder = Type.Union([
  Type.Object({
    kind: Type.Literal('linux'),
    kernel: Type.Object({ path: Type.String(), sha256: Type.Optional(Type.String()) }),
    initrd: Type.Optional(Type.Object({ path: Type.String(), sha256: Type.Optional(Type.String()) })),
    /**
     * Who unpacks the kernel: the VMM (unless said), which enters it at startup_64; or the bzImage's own stub in the
     * guest. The stub loads CR3 without the C bit, which only KVMs with SEV can follow.
     */
    unpackedBy: Type.Optional(Type.Union([Type.Literal('vmm'), Type.Literal('guest')])),
    /** Appended to the VMM's own command line. */
    commandLine: Type.Optional(Type.String()),
  }),
  Type.Object({
    kind: Type.Literal('probe'),
    flavour: Type.Union([
      Type.Literal('honest'),
      Type.Literal('silent'),
      Type.Literal('lying'),
      Type.Literal('misreporting'),
    ]),
    /** Private memory that it touches, in bytes (a multiple of 4096): 16 MiB unless said. */
    touchBytes: Type.Optional(Type.Integer({ minimum: 0, multipleOf: 4096 })),
    /** How often it shares and takes back, and how many plain exits it makes: for measurements. */
    rounds: Type.Optional(Type.Integer({ minimum: 0 })),
    exits: Type.Optional(Type.Integer({ minimum: 0 })),
  }),
]);
export type BootOrder = Static<typeof BootOrder>;

/** Everything a VMM needs to run one VM. The VMM refuses an order whose regime it would resolve differently. */
export const LaunchOrder = Type.Object({
  contract: Type.Literal(1),
  name: Type.String({ minLength: 1, maxLength: 63, pattern: '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$' }),
  type: VmTypeId,
  regime: RegimeMessage,
  execution: Execution,
  /** Nominal memory in bytes, a multiple of 2 MiB. */
  memoryBytes: Type.Number({ minimum: 0 }),
  boot: BootOrder,
  /** Start unpinned; if the guest never reports, stop it before any I/O and start again pinned with this type. */
  probation: Type.Optional(Type.Object({ fallback: VmTypeId, fallbackRegime: RegimeMessage })),
  /** Lies are judged and named (default), or the guest is stopped at the first one. */
  onLie: Type.Optional(Type.Union([Type.Literal('name'), Type.Literal('stop')])),
  /** Milliseconds after which the VM is ended whatever it does; 0 or absent: no limit. */
  timeoutMs: Type.Optional(Type.Number({ minimum: 0 })),
  /** Milliseconds at one place without an exit after which a guest is stuck; 20,000 unless said, 0: never. */
  stuckAfterMs: Type.Optional(Type.Number({ minimum: 0 })),
  /**
   * Goes on from a snapshot instead of booting: the order is the one that the snapshot was made of, but for its name and
   * limits. `boot` is what its symbols are looked up in.
   */
  restore: Type.Optional(Type.Object({ path: Type.String({ minLength: 1 }) })),
  /** Traced from the first instruction on, as the trace `launch`: for a program that starts one VM and reads it. */
  trace: Type.Optional(StartTrace),
});
export type LaunchOrder = Static<typeof LaunchOrder>;
