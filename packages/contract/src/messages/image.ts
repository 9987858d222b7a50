import { ErrorBody } from '../errors/error-body.ts';
import { type Static, Type } from '../schema.ts';
import { VerdictMessage } from './policy.ts';

/** Names of images, VMs and hosts: those of a DNS label. */
export const Name = Type.String({ minLength: 1, maxLength: 63, pattern: '^[a-z0-9]([a-z0-9-]*[a-z0-9])?$' });

/** What an image boots. Paths are of the host that judged it. */
export const ImageBoot = Type.Union([
  Type.Object({
    kind: Type.Literal('linux'),
    kernel: Type.String({ minLength: 1 }),
    initrd: Type.Optional(Type.String({ minLength: 1 })),
    /** Appended to the VMM's own command line. */
    commandLine: Type.Optional(Type.String({ maxLength: 2048 })),
  }),
  Type.Object({
    kind: Type.Literal('disk'),
    /** A disk image; at each start its kernel, initrd and command line are taken out of it as it is then. */
    path: Type.String({ minLength: 1 }),
    /** Files that the image may stand on; nothing else is opened, whatever it names. */
    backing: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
    /** The boot entry, by its title or number, in place of the loader's default. */
    entry: Type.Optional(Type.String({ minLength: 1, maxLength: 512 })),
    /** In place of the command line that the loader would give. */
    commandLine: Type.Optional(Type.String({ maxLength: 2048 })),
  }),
  Type.Object({
    kind: Type.Literal('probe'),
    flavour: Type.Union([
      Type.Literal('honest'),
      Type.Literal('silent'),
      Type.Literal('lying'),
      Type.Literal('misreporting'),
    ]),
  }),
]);
export type ImageBoot = Static<typeof ImageBoot>;

/** inspecting → ready | failed. Only an agent's inspection moves it. */
export const ImageState = Type.Enum(['inspecting', 'ready', 'failed']);
export type ImageState = Static<typeof ImageState>;

export const AddImage = Type.Object({
  name: Name,
  boot: ImageBoot,
  /** The host whose files these are; unless said, that of the first agent that inspects them. */
  host: Type.Optional(Name),
});
export type AddImage = Static<typeof AddImage>;

export const ImageView = Type.Object({
  name: Name,
  boot: ImageBoot,
  /** Built-in images come with unpin and cannot be deleted. */
  builtIn: Type.Boolean(),
  state: ImageState,
  /** The host that judged it, and whose paths `boot` names. */
  host: Type.Optional(Name),
  verdict: Type.Optional(VerdictMessage),
  /** Why the inspection failed. */
  error: Type.Optional(ErrorBody),
  createdAt: Type.String(),
  judgedAt: Type.Optional(Type.String()),
});
export type ImageView = Static<typeof ImageView>;
