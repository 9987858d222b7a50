import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UnpinError } from '@unpin/contract/errors';

/**
 * What is to be inspected: files and addresses as they are, of a folder all files in it (hidden ones left out), a
 * folder that is an OCI image layout as one image.
 * @throws UnpinError FILE_NOT_FOUND for a folder with nothing in it
 */
export function imageTargets(names: readonly string[]): readonly string[] {
  return names.flatMap((name) => (isFolder(name) && !isOciLayout(name) ? filesOf(name) : [name]));
}

function filesOf(folder: string): readonly string[] {
  const paths = readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .toSorted()
    .map((name) => join(folder, name))
    .filter((path) => !isFolder(path) || isOciLayout(path));
  if (paths.length === 0)
    throw new UnpinError('FILE_NOT_FOUND', { subject: folder, found: 'a folder without files', needed: 'images' });
  return paths;
}

function isOciLayout(folder: string): boolean {
  return existsSync(join(folder, 'oci-layout'));
}

/** What can't be looked at is left to who opens it. */
function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
