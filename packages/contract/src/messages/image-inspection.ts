import { type Static, Type } from '../schema.ts';
import { DecisionMessage, VerdictMessage, VmTypeId } from './policy.ts';

/** What an image is made of, from the outside in, as far as it could be opened. */
export const ImageLayers = Type.Object({
  container: Type.String({ description: 'kernel, uki, or how the disk is stored: raw, qcow2, tar, …' }),
  bytes: Type.Number({ minimum: 0, description: 'size of the file' }),
  diskBytes: Type.Optional(Type.Number({ minimum: 0, description: 'size of the disk inside' })),
  partitions: Type.Optional(Type.Enum(['gpt', 'mbr', 'none'])),
  volumes: Type.Array(
    Type.Object({
      partition: Type.Optional(Type.Integer({ minimum: 1, description: 'its number; none: the whole disk' })),
      holds: Type.String({ description: 'a filesystem, or what was found in its place: ext4, XFS, LUKS, …' }),
      bytes: Type.Number({ minimum: 0 }),
    }),
  ),
  notes: Type.Array(Type.String(), { description: 'what should be known of how it was read, one line each' }),
});
export type ImageLayers = Static<typeof ImageLayers>;

/** One start that the image offers. */
export const ImageEntry = Type.Object({
  title: Type.String(),
  loader: Type.String({ description: 'what offers it: grub, bls, systemd-boot, uki, extlinux, none-found, direct' }),
  kernel: Type.String(),
  initrds: Type.Array(Type.String()),
  commandLine: Type.Optional(Type.String()),
  counts: Type.Boolean({ description: 'whether the verdict is on this one, alone or among others' }),
  verdict: Type.Optional(VerdictMessage),
});
export type ImageEntry = Static<typeof ImageEntry>;

/** Why the verdict is on these entries: `worst` where the default could not be told. */
export const DecidedBy = Type.Enum(['default', 'asked', 'only', 'worst', 'nothing']);
export type DecidedBy = Static<typeof DecidedBy>;

/** What stopped an inspection, in the words of the format that it stopped at. */
export const InspectionProblem = Type.Object({
  kind: Type.Enum([
    'not-a-kernel',
    'not-64-bit',
    'truncated',
    'malformed',
    'cycle',
    'unsupported',
    'encrypted',
    'over-budget',
    'escape',
    'unreadable',
  ]),
  what: Type.String({ description: "what was being read, in the format's own words" }),
  offset: Type.Number({ description: 'where, in bytes from the start of what that lies in' }),
  message: Type.String(),
});
export type InspectionProblem = Static<typeof InspectionProblem>;

/** Everything that an inspection of one image found. */
export const ImageInspectionMessage = Type.Object({
  name: Type.String(),
  verdict: VerdictMessage,
  layers: ImageLayers,
  entries: Type.Array(ImageEntry),
  decidedBy: DecidedBy,
  problem: Type.Optional(InspectionProblem),
  figures: Type.Object({
    milliseconds: Type.Number({ minimum: 0 }),
    bytesRead: Type.Number({ minimum: 0, description: 'of the files and addresses that were named' }),
    peakBytes: Type.Number({ minimum: 0, description: 'largest resident set of the process that parsed it' }),
  }),
});
export type ImageInspectionMessage = Static<typeof ImageInspectionMessage>;

/** What `unpin image inspect --format json` prints for one image. */
export const ImageVerdictDocument = Type.Object({
  name: Type.String(),
  verdict: VerdictMessage,
  types: Type.Object({
    may: Type.Array(VmTypeId),
    mayNot: Type.Array(VmTypeId),
    unknown: Type.Array(VmTypeId),
  }),
  decision: Type.Optional(DecisionMessage),
  claims: Type.Optional(
    Type.Array(
      Type.Object({
        claim: Type.String(),
        outcome: Type.Enum(['holds', 'contradicted', 'unproven', 'not-claimed', 'not-judged']),
        why: Type.String(),
      }),
    ),
  ),
  layers: ImageLayers,
  entries: Type.Array(ImageEntry),
  decidedBy: DecidedBy,
  problem: Type.Optional(InspectionProblem),
  figures: ImageInspectionMessage.properties.figures,
});
export type ImageVerdictDocument = Static<typeof ImageVerdictDocument>;
