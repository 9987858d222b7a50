import { FormatError } from '../../format-error.ts';
import type { Archive } from '../archive.ts';
import type { Layer } from '../layer.ts';
import type { Opening } from '../opening.ts';
import { digestOf } from '../unpack.ts';
import { checkDigest, checkedBlob, findBlob, isAmd64, referenceOf } from './blob.ts';
import { field, listField, readJson, textField } from './json.ts';

/** A layer of an image, as it lies there, and what its content must hash to (SHA-256, hexadecimal). */
export interface ImageLayer {
  readonly name: string;
  readonly mediaType: string;
  readonly content: Layer;
  /** Of the bytes as they lie there; undefined where the image doesn't say. */
  readonly packed: string | undefined;
  /** Of the tar inside of them. */
  readonly unpacked: string | undefined;
}

/** An index of indexes: one for the platforms, one for attestations. */
const DEEPEST_INDEX = 4;
/** What container engines can mount: 127 and 128. */
const MOST_LAYERS = 128;

/** The layers of the image that an archive holds, the lowest first. @throws FormatError */
export async function imageLayers(archive: Archive, opening: Opening): Promise<readonly ImageLayer[]> {
  const index = await archive.file('index.json');
  if (index !== undefined) return layoutLayers(archive, await readJson(index.view), opening);
  const manifest = await archive.file('manifest.json');
  if (manifest !== undefined) return savedLayers(archive, await readJson(manifest.view), opening);
  throw new FormatError('unsupported', archive.name, 0, 'neither an OCI image layout nor what docker save writes');
}

/** OCI image specification, "Image Layout": index → manifest → layers. */
async function layoutLayers(archive: Archive, index: unknown, opening: Opening): Promise<readonly ImageLayer[]> {
  let document = index;
  for (let depth = 0; field(document, 'layers') === undefined; depth++) {
    if (depth > DEEPEST_INDEX) throw new FormatError('cycle', archive.name, 0, 'indexes of indexes without end');
    const reference = referenceOf(pick(listField(document, 'manifests'), archive.name), archive.name);
    document = await readJson((await checkedBlob(archive, reference, opening)).view);
  }
  const layers = few(listField(document, 'layers'), archive.name);
  return Promise.all(
    layers.map(async (descriptor) => {
      const reference = referenceOf(descriptor, archive.name);
      const content = await findBlob(archive, reference);
      const name = `layer sha256:${reference.sha256.slice(0, 12)}`;
      return { name, mediaType: reference.mediaType, content, packed: reference.sha256, unpacked: undefined };
    }),
  );
}

/** The only manifest, or the only one for this architecture. */
function pick(manifests: readonly unknown[], where: string): unknown {
  if (manifests.length === 1) return manifests[0];
  const fitting = manifests.filter(isAmd64);
  if (fitting.length === 1) return fitting[0];
  throw new FormatError(
    'unsupported',
    where,
    0,
    `${manifests.length} images, ${fitting.length} of them for linux/amd64: copy the one that is meant to a file of its own`,
  );
}

/** What `docker save` writes: manifest.json names the layers; their digests are in the image's configuration. */
async function savedLayers(archive: Archive, manifest: unknown, opening: Opening): Promise<readonly ImageLayer[]> {
  const images: readonly unknown[] = Array.isArray(manifest) ? manifest : [];
  const [image] = images;
  if (images.length !== 1)
    throw new FormatError('unsupported', archive.name, 0, `${images.length} images: save the one that is meant alone`);
  const diffIds = await diffIdsOf(archive, textField(image, 'Config') ?? '', opening);
  const paths = few(listField(image, 'Layers'), archive.name);
  return Promise.all(
    paths.map(async (path, index) => {
      const content = typeof path === 'string' ? await archive.file(path) : undefined;
      if (content === undefined)
        throw new FormatError('truncated', archive.name, 0, `the image lacks its layer ${JSON.stringify(path)}`);
      const packed = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(String(path))?.[1];
      const unpacked = /^sha256:([0-9a-f]{64})$/.exec(String(diffIds[index]))?.[1];
      return { name: `layer ${String(path).slice(0, 80)}`, mediaType: '', content, packed, unpacked };
    }),
  );
}

/** Digests of the layers' tars. The configuration is named for its own digest. */
async function diffIdsOf(archive: Archive, path: string, opening: Opening): Promise<readonly unknown[]> {
  const config = await archive.file(path);
  if (config === undefined) return [];
  const own = /(?:^|\/)([0-9a-f]{64})(?:\.json)?$/.exec(path)?.[1];
  const document = await readJson(config.view);
  if (own !== undefined) checkDigest(config.view.name, own, await digestOf(config.plain, opening));
  return listField(field(document, 'rootfs'), 'diff_ids');
}

function few(layers: readonly unknown[], where: string): readonly unknown[] {
  if (layers.length > MOST_LAYERS)
    throw new FormatError('over-budget', where, 0, `${layers.length} layers, at most ${MOST_LAYERS}`);
  return layers;
}
