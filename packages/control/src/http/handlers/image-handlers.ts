import { type controlRoutes, type ImageBoot, UnpinError } from '@unpin/contract';
import type { Handlers } from '@unpin/contract/server';
import type { Services } from '../../services.ts';
import { appendAudit } from '../../store/audit.ts';
import { ANY_HOST, appendChange } from '../../store/changes.ts';
import { findHost } from '../../store/hosts.ts';
import { deleteImage, findImage, type ImageRecord, insertImage, listImages } from '../../store/images.ts';
import type { Db } from '../../store/store.ts';
import { vmNamesOfImage } from '../../store/vms.ts';
import { LOCAL } from '../actor.ts';
import { imageView } from '../views/image-view.ts';

type Names = 'listImages' | 'getImage' | 'addImage' | 'deleteImage';

export function imageHandlers({ store, now }: Services): Pick<Handlers<typeof controlRoutes>, Names> {
  return {
    listImages: async () => ({ images: (await store.read(listImages)).map(imageView) }),

    getImage: async ({ params }) => imageView(await store.read((db) => existing(db, params.name))),

    addImage: ({ body }) =>
      store.write(async (db) => {
        const at = now();
        const { name, boot, host } = body;
        mustBeAbsolute(filesOf(boot));
        if (host !== undefined && (await findHost(db, host)) === undefined)
          throw new UnpinError('NOT_FOUND', { subject: `host ${host}`, next: 'unpin vm-types' });
        if (!(await insertImage(db, { name, boot, host, builtIn: false, createdAt: at })))
          throw new UnpinError('ALREADY_EXISTS', { subject: `image ${name}`, next: `unpin image show ${name}` });
        await appendAudit(db, { at, actor: LOCAL, action: 'image.add', subject: name, outcome: 'done', detail: body });
        await appendChange(db, { at, kind: 'image', name, action: 'added', workFor: host ?? ANY_HOST });
        return imageView(await existing(db, name));
      }),

    deleteImage: ({ params: { name } }) =>
      store.write(async (db) => {
        const at = now();
        const image = await existing(db, name);
        if (image.builtIn)
          throw new UnpinError('CONFLICT', {
            subject: `image ${name}`,
            found: 'a built-in image',
            needed: 'an added one',
          });
        const users = await vmNamesOfImage(db, name);
        if (users.length > 0)
          throw new UnpinError('CONFLICT', {
            subject: `image ${name}`,
            found: `VMs that use it: ${users.join(', ')}`,
            needed: 'an image that no VM uses',
            next: `unpin vm delete ${users[0]}`,
          });
        await deleteImage(db, name);
        await appendAudit(db, { at, actor: LOCAL, action: 'image.delete', subject: name, outcome: 'done' });
        await appendChange(db, { at, kind: 'image', name, action: 'deleted' });
        return imageView(image);
      }),
  };
}

async function existing(db: Db, name: string): Promise<ImageRecord> {
  const image = await findImage(db, name);
  if (image === undefined) throw new UnpinError('NOT_FOUND', { subject: `image ${name}`, next: 'unpin image list' });
  return image;
}

/** The files of a host that an image names. */
function filesOf(boot: ImageBoot): readonly (string | undefined)[] {
  switch (boot.kind) {
    case 'linux':
      return [boot.kernel, boot.initrd];
    case 'disk':
      return [boot.path, ...(boot.backing ?? [])];
    case 'probe':
      return [];
  }
}

/** An agent has another working directory than who asks: relative paths would mean two files. */
function mustBeAbsolute(paths: readonly (string | undefined)[]): void {
  for (const path of paths)
    if (path !== undefined && (!path.startsWith('/') || path.includes('\0')))
      throw new UnpinError('REQUEST_INVALID', { subject: path, needed: 'an absolute path' });
}
