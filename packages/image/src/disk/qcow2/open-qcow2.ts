import { FormatError } from '../../format-error.ts';
import type { ByteSource } from '../../source/byte-source.ts';
import { detectFormat } from '../detect.ts';
import { FORMAT_TITLES } from '../disk-format.ts';
import type { Opening } from '../opening.ts';
import { type Qcow2Extensions, readExtensions } from './extensions.ts';
import { type Qcow2Header, readQcow2Header } from './header.ts';
import { qcow2Source } from './qcow2-source.ts';

/** Chains that people make have a base and a few snapshots; each file of a chain is open and has caches. */
const LONGEST_CHAIN = 32;

/**
 * A qcow2 file, version 2 or 3, with its chain of backing files, as the guest's disk. Internal snapshots are left
 * aside: what is read is the state that a start would boot.
 * @param file cached. @throws FormatError
 */
export function openQcow2(file: ByteSource, opening: Opening): Promise<ByteSource> {
  return openLink(file, opening, [identityOf(file)]);
}

/** @param chain the files from the first to this one, by what tells them apart */
async function openLink(file: ByteSource, opening: Opening, chain: readonly string[]): Promise<ByteSource> {
  const header = await readQcow2Header(file);
  const extensions = await readExtensions(file, header, opening.budget);
  checkFeatures(header, extensions);
  note(file.name, header, opening.notes);
  const backing = header.backing && (await openBacking(file, header.backing, extensions.backingFormat, opening, chain));
  return qcow2Source(file.name, file, header, backing, opening.budget);
}

async function openBacking(
  overlay: ByteSource,
  place: { readonly offset: number; readonly length: number },
  format: string | undefined,
  opening: Opening,
  chain: readonly string[],
): Promise<ByteSource> {
  const fail = (kind: 'escape' | 'cycle' | 'unsupported' | 'over-budget', detail: string): FormatError =>
    new FormatError(kind, 'qcow2 backing file', place.offset, detail);
  const name = Buffer.from(await overlay.read(place.offset, place.length)).toString('utf8');
  const shown = JSON.stringify(name);
  if (chain.length >= LONGEST_CHAIN) throw fail('over-budget', `a chain of more than ${LONGEST_CHAIN} files`);
  const medium = await opening.backing({ name, format, overlay: overlay.name });
  if (medium === undefined)
    throw fail('escape', `${overlay.name} needs ${shown}, which an image can't open by itself: name that file too`);
  const { view } = opening.layer(medium, 'owned', 'part');
  const identity = identityOf(medium);
  if (chain.includes(identity)) throw fail('cycle', `${shown} leads back to ${medium.name}`);
  // Without a format it is found out, as QEMU did when such images were made.
  const told = format ?? (await detectFormat(view));
  switch (told) {
    case 'raw':
      return view;
    case 'qcow2':
      return openLink(view, opening, [...chain, identity]);
    default: {
      const title = Object.hasOwn(FORMAT_TITLES, told) ? FORMAT_TITLES[told as keyof typeof FORMAT_TITLES] : told;
      throw fail('unsupported', `${shown} is ${title}: only raw and qcow2 files are read behind a qcow2`);
    }
  }
}

/** The same for the same file, as far as its source can tell. */
function identityOf(source: ByteSource): string {
  return 'identity' in source && typeof source.identity === 'string' ? source.identity : source.name;
}

function checkFeatures(header: Qcow2Header, { externalDataName, featureNames }: Qcow2Extensions): void {
  if (header.externalData)
    throw unsupported(
      `its data lies in another file, ${JSON.stringify(externalDataName ?? 'not named')}: convert it, qemu-img convert -O qcow2 IN OUT.qcow2`,
    );
  const [bit] = header.unknownFeatures;
  if (bit !== undefined)
    throw unsupported(`it needs feature ${bit}, ${JSON.stringify(featureNames.get(bit) ?? 'without a name')}`);
}

function note(name: string, header: Qcow2Header, notes: string[]): void {
  if (header.corrupt) notes.push(`${name}: marked as corrupt by what wrote it last`);
  if (header.dirty) notes.push(`${name}: not closed properly, or in use`);
  if (header.snapshots > 0) notes.push(`${name}: ${header.snapshots} internal snapshots are not looked at`);
}

function unsupported(detail: string): FormatError {
  return new FormatError('unsupported', 'qcow2 header', 72, detail);
}
