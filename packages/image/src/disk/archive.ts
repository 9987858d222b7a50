import { FormatError } from '../format-error.ts';
import { windowOf } from '../source/window.ts';
import { type Layer, partOf } from './layer.ts';
import type { Opening } from './opening.ts';
import { readTar, type TarMember } from './tar/read-tar.ts';
import { sparseSource } from './tar/sparse-map.ts';

/** The most names that are kept of one archive: an image's layers and blobs are some hundred. */
const MOST_NAMES = 2 ** 16;
/** What their names, links and sparse maps may take in memory, in bytes. */
const MOST_KEPT = 2 ** 25;
/** Links that lead to links: as many as Linux follows. */
const MOST_LINKS = 40;

/** Files that belong together, by name: a tar archive, or a folder. */
export interface Archive {
  readonly name: string;
  /** Undefined where there is no such file. */
  file(name: string): Promise<Layer | undefined>;
}

/** The members of a tar that `keep` wants, in its order; the last of a name counts. */
export async function tarMembers(
  layer: Layer,
  opening: Opening,
  keep: (member: TarMember) => boolean,
): Promise<ReadonlyMap<string, TarMember>> {
  const members = new Map<string, TarMember>();
  let kept = 0;
  for await (const member of readTar(layer.view, opening.budget)) {
    if (!keep(member)) continue;
    kept += 2 * (member.name.length + member.linkName.length) + 8 * (member.sparse?.pairs.length ?? 0);
    if (members.size >= MOST_NAMES || kept > MOST_KEPT)
      throw new FormatError(
        'over-budget',
        'tar',
        member.start,
        `more than ${MOST_NAMES} names, or longer ones than are kept`,
      );
    members.delete(member.name);
    members.set(member.name, member);
  }
  return members;
}

/** What a member holds, its zeroes put back. */
export function memberLayer(archive: Layer, member: TarMember): Layer {
  const name = `${archive.view.name}: ${member.name}`;
  const { sparse, start, stored } = member;
  if (sparse === undefined) return partOf(archive, name, start, stored);
  const content = windowOf(archive.view, name, start + sparse.dataStart, Math.max(0, stored - sparse.dataStart));
  const whole = sparseSource(name, content, sparse);
  return { plain: whole, view: whole };
}

/** A tar as files by name; links inside it are followed. */
export function tarArchive(layer: Layer, members: ReadonlyMap<string, TarMember>): Archive {
  return {
    name: layer.view.name,
    file: async (name) => {
      let wanted = name;
      for (let links = 0; links <= MOST_LINKS; links++) {
        const member = members.get(wanted);
        if (member?.kind === 'file') return memberLayer(layer, member);
        if (member?.kind === 'hardlink') wanted = inside([], member.linkName);
        else if (member?.kind === 'symlink') wanted = inside(wanted.split('/').slice(0, -1), member.linkName);
        else return undefined;
      }
      throw new FormatError('cycle', 'tar', 0, `links from ${name} without end`);
    },
  };
}

/** A relative path from a folder, which never leads above the archive's top. */
function inside(folder: readonly string[], path: string): string {
  const parts = path.startsWith('/') ? [] : [...folder];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}
