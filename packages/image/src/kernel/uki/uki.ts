import { FormatError } from '../../format-error.ts';
import type { ByteSource } from '../../source/byte-source.ts';
import { windowOf } from '../../source/window.ts';
import { MACHINE_AMD64, type PeSection, readPe } from './pe.ts';

/** Texts in a unified kernel image: an os-release has hundreds of bytes, a command line at most 2 KiB. */
const TEXT_LIMIT = 64 * 1024;
/** Profiles of one image: a menu's worth. */
const MOST_PROFILES = 32;

/**
 * A unified kernel image (UAPI group, "Unified Kernel Image" specification): a stub of systemd-boot with a kernel and
 * what it starts with in its sections.
 */
export interface Uki {
  /** What it offers to start; the first is what starts unless another is asked for. One where it has no `.profile`. */
  readonly profiles: readonly [UkiProfile, ...UkiProfile[]];
  /** `.sbat`, which revocations go by; undefined without it. */
  readonly sbat: string | undefined;
}

/** One start that an image offers: its own sections, and the common ones where it has none. */
export interface UkiProfile {
  /** `.profile`: lines `ID=` and `TITLE=`; undefined in an image without profiles. */
  readonly description: string | undefined;
  /** `.linux`: a bzImage. */
  readonly kernel: ByteSource;
  /** `.ucode`, then `.initrd`, as the stub passes them on. */
  readonly initrds: readonly ByteSource[];
  /** `.cmdline` as the stub passes it on; undefined without it: then the loader's counts. */
  readonly commandLine: string | undefined;
  /** `.osrel`, an os-release file. */
  readonly osRelease: string | undefined;
  /** `.uname`: the release that the maker claims for the kernel; a claim, not evidence. */
  readonly claimedRelease: string | undefined;
}

/**
 * Opens a unified kernel image. A bzImage is a PE program as well (its EFI stub), as are loaders: what has no `.linux`
 * section is no unified kernel image, whatever else it is.
 * @returns undefined for what is none
 * @throws FormatError truncated, malformed; unsupported for another processor's
 */
export async function readUki(source: ByteSource): Promise<Uki | undefined> {
  const pe = await readPe(source);
  if (pe === undefined || !pe.sections.some(({ name }) => name === '.linux')) return undefined;
  if (pe.machine !== MACHINE_AMD64)
    throw new FormatError('unsupported', 'COFF header', 0, `a kernel image for machine 0x${pe.machine.toString(16)}`);

  const [common = [], ...own] = splitAt(pe.sections, '.profile');
  if (own.length > MOST_PROFILES)
    throw new FormatError(
      'malformed',
      'PE section table',
      0,
      `${own.length} profiles, at most ${MOST_PROFILES} are read`,
    );
  const [first = [], ...rest] = own;
  const open = (sections: readonly PeSection[]) => openProfile(source, [...sections, ...common]);
  const profiles: [UkiProfile, ...UkiProfile[]] = [await open(first)];
  for (const sections of rest) profiles.push(await open(sections));
  return { profiles, sbat: await text(source, common, '.sbat') };
}

/** @param sections the first of a name counts, as for the stub */
async function openProfile(source: ByteSource, sections: readonly PeSection[]): Promise<UkiProfile> {
  const part = (name: string) => {
    const found = sections.find((section) => section.name === name);
    return found === undefined || found.size === 0 ? undefined : contentOf(source, found);
  };
  const kernel = part('.linux');
  // Only some of the profiles bring a kernel, and this is none of them.
  if (kernel === undefined) throw new FormatError('malformed', 'PE section ".linux"', 0, 'a profile without a kernel');
  const commandLine = await text(source, sections, '.cmdline');
  const claimedRelease = await text(source, sections, '.uname');
  return {
    description: await text(source, sections, '.profile'),
    kernel,
    initrds: [part('.ucode'), part('.initrd')].filter((initrd) => initrd !== undefined),
    commandLine: commandLine === undefined ? undefined : withoutControls(commandLine),
    osRelease: await text(source, sections, '.osrel'),
    claimedRelease: claimedRelease?.trim(),
  };
}

function contentOf(source: ByteSource, { name, offset, size }: PeSection): ByteSource {
  return windowOf(source, `${source.name} section ${name}`, offset, size);
}

/** A section's text up to a NUL; undefined where there is no such section. */
async function text(source: ByteSource, sections: readonly PeSection[], name: string): Promise<string | undefined> {
  const found = sections.find((section) => section.name === name);
  if (found === undefined) return undefined;
  if (found.size > TEXT_LIMIT)
    throw new FormatError('malformed', `PE section "${name}"`, found.offset, `${found.size} bytes are no such text`);
  const bytes = await source.read(found.offset, found.size);
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString('utf8');
}

/** The stub makes a space of every control character, and drops spaces at both ends. */
function withoutControls(line: string): string {
  const spaced = Array.from(line, (character) => (character < ' ' ? ' ' : character)).join('');
  return spaced.replace(/^ +/, '').replace(/ +$/, '');
}

/** Cuts a list before every section of that name, which begins its part. */
function splitAt(sections: readonly PeSection[], name: string): PeSection[][] {
  const parts: PeSection[][] = [[]];
  for (const section of sections) {
    if (section.name === name) parts.push([]);
    parts.at(-1)?.push(section);
  }
  return parts;
}
