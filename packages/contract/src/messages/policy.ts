import type { Decision, Regime, Verdict } from '@unpin/policy';
import { type Static, Type } from '../schema.ts';

export const VmTypeId = Type.Enum([
  'standard',
  'standard-pinned',
  'standard-gmem',
  'sev',
  'sev-es',
  'sev-deferred',
  'sev-upm',
  'sev-es-upm',
  'sev-snp',
  'sw-protected',
]);
export const Execution = Type.Enum(['hardware', 'shaped', 'emulated']);
export const StatementId = Type.Enum([
  'sev-guest',
  'sev-es-guest',
  'snp-guest',
  'page-state-changes',
  'tdx-guest',
  'unaccepted-memory',
  'reports-conversions',
  'reports-correctly',
]);
export const Answer = Type.Enum(['yes', 'no', 'unknown']);
export const Level = Type.Enum(['proven', 'observed', 'inferred', 'unknown']);

export const Evidence = Type.Object({
  signal: Type.String(),
  where: Type.String(),
  offset: Type.Optional(Type.Number()),
  seen: Type.String(),
});
export const Finding = Type.Object({
  answer: Answer,
  level: Level,
  summary: Type.String(),
  evidence: Type.Array(Evidence),
});
const Part = Type.Object({ name: Type.String(), sha256: Type.String(), bytes: Type.Number() });
export const BootSet = Type.Object({
  digest: Type.String(),
  kernel: Part,
  initrd: Type.Optional(Part),
  commandLine: Type.Optional(Type.String()),
  configuration: Type.Optional(Type.Array(Part)),
  firmware: Type.Optional(Part),
  others: Type.Optional(Type.Array(Type.String())),
});
export const FirmwareVerdictMessage = Type.Object({
  name: Type.String(),
  sha256: Type.String(),
  bytes: Type.Number(),
  statements: Type.Object({
    'firmware-sev': Finding,
    'firmware-sev-es': Finding,
    'firmware-snp': Finding,
    'firmware-tdx': Finding,
    'firmware-kernel-hashes': Finding,
    'firmware-reports-conversions': Finding,
    'firmware-live-migration': Finding,
  }),
  obstacles: Type.Array(Type.String()),
});
export const VerdictMessage = Type.Object({
  bootSet: BootSet,
  inspector: Type.String(),
  kernel: Type.Object({ banner: Type.Optional(Type.String()), container: Type.String(), payload: Type.String() }),
  statements: Type.Object({
    'sev-guest': Finding,
    'sev-es-guest': Finding,
    'snp-guest': Finding,
    'page-state-changes': Finding,
    'tdx-guest': Finding,
    'unaccepted-memory': Finding,
    'reports-conversions': Finding,
    'reports-correctly': Finding,
  }),
  obstacles: Type.Array(Type.String()),
  firmware: Type.Optional(FirmwareVerdictMessage),
});
export const WaiverMessage = Type.Object({ by: Type.String({ minLength: 1 }), reason: Type.String({ minLength: 1 }) });
export type WaiverMessage = Static<typeof WaiverMessage>;
export type VerdictMessage = Static<typeof VerdictMessage>;
export const DecisionMessage = Type.Object({
  type: VmTypeId,
  outcome: Type.Enum(['may', 'may-not', 'unknown', 'waived']),
  reasons: Type.Array(
    Type.Object({
      need: StatementId,
      outcome: Type.Enum(['met', 'unmet', 'unproven']),
      asked: Type.Enum(['proven', 'inferred']),
      found: Type.Object({ answer: Answer, level: Level, summary: Type.String() }),
      evidence: Type.Array(Evidence),
      why: Type.String(),
      remedy: Type.String(),
    }),
  ),
  alternatives: Type.Array(VmTypeId),
  waiver: Type.Optional(WaiverMessage),
});
export type DecisionMessage = Static<typeof DecisionMessage>;
export const RegimeMessage = Type.Object({
  type: VmTypeId,
  tech: Type.Enum(['none', 'sev', 'sev-es', 'sev-snp', 'sw-protected']),
  memoryModel: Type.Enum(['memslots', 'guest_memfd', 'guest_memfd-in-place']),
  pinning: Type.Enum(['none', 'upfront', 'on-fault']),
  conversions: Type.Enum(['none', 'unreported', 'hypercall', 'page-state-change']),
});

type Same<A, B> = [A] extends [B] ? true : false;
/** Compile-time proof that policy's values fit the schemas: an error here means that the two have drifted apart. */
export const satisfiesPolicy: [
  Same<Readonly<Static<typeof RegimeMessage>>, Regime>,
  Same<Static<typeof VerdictMessage>, Verdict>,
  Same<Static<typeof DecisionMessage>, Decision>,
] = [true, true, true];
