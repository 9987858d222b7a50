import { ByteReader } from '../../byte-reader.ts';
import { hasSetupHeader } from '../../kernel/bz-image.ts';
import type { Budget } from '../../source/budget.ts';
import type { ByteSource } from '../../source/byte-source.ts';
import { type GrubImage, readGrubImage } from './grub-image.ts';
import { MACHINE_X86_64, type PeFile, readPe, readSection } from './pe-sections.ts';

/** What an EFI program is, by what is in it, not by its name. */
export type EfiProgram =
  | { readonly kind: 'grub'; readonly image: GrubImage }
  /** Starts `grubx64.efi` of its own folder. */
  | { readonly kind: 'shim' }
  /** Shim's helper that makes boot entries of what `BOOTX64.CSV` names, and starts the first. */
  | { readonly kind: 'fallback' }
  /** Shim's key manager: starts nothing by itself. */
  | { readonly kind: 'key-manager' }
  | { readonly kind: 'systemd-boot' }
  /** A unified kernel image. */
  | { readonly kind: 'uki'; readonly pe: PeFile }
  /** A Linux kernel with an EFI stub. */
  | { readonly kind: 'kernel' }
  /** For another processor: firmware of x86-64 doesn't start it. */
  | { readonly kind: 'foreign' }
  /** An EFI program of any other kind. */
  | { readonly kind: 'other' }
  /** No EFI program at all. */
  | { readonly kind: 'none' };

/** Bytes of a text section that are looked at. */
const TEXT_LIMIT = 4096;

/**
 * What an EFI program is. GRUB has a section of modules, shim one with its vendor's certificate, systemd-boot one with
 * its name, a unified kernel one with the kernel. Shim's two helpers have nothing of their own but its
 * name: they are told apart by their files' names.
 * @throws FormatError truncated, malformed, over-budget
 */
export async function identify(file: ByteSource, name: string, budget: Budget): Promise<EfiProgram> {
  budget.takeSteps(1, 'EFI program', 0);
  const pe = await readPe(file);
  if (pe === undefined) return { kind: 'none' };
  if (pe.machine !== MACHINE_X86_64) return { kind: 'foreign' };
  const has = (section: string): boolean => pe.sections.some((each) => each.name === section);
  const image = await readGrubImage(file, pe, budget);
  if (image !== undefined) return { kind: 'grub', image };
  if (has('.linux')) return { kind: 'uki', pe };
  const magic = await readSection(file, pe, '.sdmagic', TEXT_LIMIT);
  if (magic !== undefined && Buffer.from(magic).includes('systemd-boot')) return { kind: 'systemd-boot' };
  if (has('.vendor_cert')) return { kind: 'shim' };
  if (file.size >= 0x260 && hasSetupHeader(new ByteReader(await file.read(0, 0x260)))) return { kind: 'kernel' };
  const sbat = Buffer.from((await readSection(file, pe, '.sbat', TEXT_LIMIT)) ?? []).toString('latin1');
  if (/^shim,/m.test(sbat))
    return { kind: /^fb/i.test(name) ? 'fallback' : /^mm/i.test(name) ? 'key-manager' : 'shim' };
  return { kind: 'other' };
}
