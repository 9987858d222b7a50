import { type Static, Type } from '../schema.ts';

const Choice = Type.Enum(['refuse', 'allow']);

/** What a rule of the mapping table looks at. */
export const ImageSource = Type.Enum([
  'container-disk',
  'kernel-boot',
  'registry',
  'http',
  'data-source',
  'data-volume',
  'pvc',
  'glance-id',
  'glance-name',
]);
export type ImageSource = Static<typeof ImageSource>;

/** How what others call an image leads to one of unpin's. The first rule that fits counts. */
export const ImageRule = Type.Object({
  from: ImageSource,
  /** `*` stands for any characters. */
  match: Type.String({ minLength: 1, maxLength: 256 }),
  /** Of Kubernetes; unless said, any. `*` stands for any characters. */
  namespace: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
  /** unpin's image. */
  image: Type.String({ minLength: 1, maxLength: 200 }),
});
export type ImageRule = Static<typeof ImageRule>;

/** What the webhooks answer where they can't decide: always the operator's own word. */
export const WebhookConfig = Type.Object({
  /** Where the verdict leaves it open, or there is none. */
  unknown: Choice,
  /** Where deciding itself fails: no database, a defect. */
  onError: Choice,
  /** Whether the annotation `unpin.dev/image`, which users write, counts where no rule fits; `accept` unless said. */
  annotation: Type.Optional(Type.Enum(['accept', 'ignore'])),
  /** Whether refusals leave a record in the audit log (dry runs never do); false unless said. */
  audit: Type.Optional(Type.Boolean()),
});
export type WebhookConfig = Static<typeof WebhookConfig>;

export const AdmissionConfig = Type.Object({
  webhook: Type.Optional(WebhookConfig),
  images: Type.Optional(Type.Array(ImageRule, { maxItems: 10_000 })),
});
export type AdmissionConfig = Static<typeof AdmissionConfig>;
