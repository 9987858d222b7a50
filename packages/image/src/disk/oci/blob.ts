import { FormatError } from '../../format-error.ts';
import type { Archive } from '../archive.ts';
import type { Layer } from '../layer.ts';
import type { Opening } from '../opening.ts';
import { digestOf } from '../unpack.ts';
import { field, textField } from './json.ts';

/** SHA-256 in hexadecimal: the only algorithm that images use. */
const DIGEST = /^sha256:([0-9a-f]{64})$/;

/** What a descriptor names (OCI image specification, "Descriptors"). */
export interface BlobReference {
  readonly sha256: string;
  readonly mediaType: string;
}

/** @throws FormatError malformed, unsupported */
export function referenceOf(descriptor: unknown, where: string): BlobReference {
  const digest = textField(descriptor, 'digest');
  if (digest === undefined) throw new FormatError('malformed', where, 0, 'a descriptor without a digest');
  const sha256 = DIGEST.exec(digest)?.[1];
  if (sha256 === undefined) throw new FormatError('unsupported', where, 0, `the digest ${JSON.stringify(digest)}`);
  return { sha256, mediaType: textField(descriptor, 'mediaType') ?? '' };
}

/** A blob of an image layout, its content not yet compared with its digest. @throws FormatError truncated */
export async function findBlob(archive: Archive, { sha256 }: BlobReference): Promise<Layer> {
  const blob = await archive.file(`blobs/sha256/${sha256}`);
  if (blob === undefined)
    throw new FormatError('truncated', archive.name, 0, `the image lacks its blob sha256:${sha256}`);
  return blob;
}

/** A small one, compared. @throws FormatError malformed */
export async function checkedBlob(archive: Archive, reference: BlobReference, opening: Opening): Promise<Layer> {
  const blob = await findBlob(archive, reference);
  checkDigest(blob.view.name, reference.sha256, await digestOf(blob.plain, opening));
  return blob;
}

/** @throws FormatError malformed */
export function checkDigest(what: string, wanted: string, found: string): void {
  if (wanted !== found)
    throw new FormatError('malformed', what, 0, `its digest is sha256:${found}, the image names sha256:${wanted}`);
}

/** Of an index's entry. */
export function isAmd64(descriptor: unknown): boolean {
  const platform = field(descriptor, 'platform');
  return textField(platform, 'architecture') === 'amd64' && textField(platform, 'os') === 'linux';
}
