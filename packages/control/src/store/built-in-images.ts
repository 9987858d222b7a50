import type { ImageBoot } from '@unpin/contract';
import { ANY_HOST, appendChange } from './changes.ts';
import { findImage, insertImage } from './images.ts';
import type { Store } from './store.ts';

/** The probe guest in its flavours: images that need no file. Their verdicts come from an agent as all others do. */
const BUILT_IN: readonly { readonly name: string; readonly boot: ImageBoot }[] = [
  { name: 'probe', boot: { kind: 'probe', flavour: 'honest' } },
  { name: 'probe-silent', boot: { kind: 'probe', flavour: 'silent' } },
  { name: 'probe-lying', boot: { kind: 'probe', flavour: 'lying' } },
];

/** Adds those that are missing; writes nothing where none is, so that a full disk does not stop a start. */
export async function addBuiltInImages(store: Store, at: number): Promise<void> {
  const missing = await store.read(async (db) => {
    const found = await Promise.all(BUILT_IN.map(({ name }) => findImage(db, name)));
    return BUILT_IN.filter((_, i) => found[i] === undefined);
  });
  if (missing.length === 0) return;
  await store.write(async (db) => {
    for (const { name, boot } of missing) {
      // Another replica may have started at the same moment.
      if ((await findImage(db, name)) !== undefined) continue;
      await insertImage(db, { name, boot, builtIn: true, host: undefined, createdAt: at });
      await appendChange(db, { at, kind: 'image', name, action: 'added', workFor: ANY_HOST });
    }
  });
}
