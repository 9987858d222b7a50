import type { ImageView } from '@unpin/contract';
import type { ImageRecord } from '../../store/images.ts';

export function imageView(image: ImageRecord): ImageView {
  return {
    name: image.name,
    boot: image.boot,
    builtIn: image.builtIn,
    state: image.state,
    ...(image.host === undefined ? {} : { host: image.host }),
    ...(image.verdict === undefined ? {} : { verdict: image.verdict }),
    ...(image.error === undefined ? {} : { error: image.error }),
    createdAt: new Date(image.createdAt).toISOString(),
    ...(image.judgedAt === undefined ? {} : { judgedAt: new Date(image.judgedAt).toISOString() }),
  };
}
