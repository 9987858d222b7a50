import type { BootDisk, BootVolume } from '../boot-disk.ts';

/** A file's name as GRUB writes it, `(hd0,gpt2)/boot/grub`: the device, undefined for the one that is `root`; the path. */
export interface GrubPath {
  readonly device: string | undefined;
  readonly path: string;
}

export function splitGrubPath(name: string): GrubPath {
  if (!name.startsWith('(')) return { device: undefined, path: name };
  const end = name.indexOf(')');
  if (end < 0) return { device: undefined, path: name };
  return { device: name.slice(1, end), path: name.slice(end + 1) };
}

/**
 * The volume that a device's name means, undefined where it is none of this disk: `hd0,gpt2`, `hd0,msdos1`, `hd0,2`;
 * `,gpt2` as embedded in GRUB's own image, for the disk that it was started from. The disk is taken to be the first.
 */
export function volumeOf(disk: BootDisk, device: string): BootVolume | undefined {
  const name = device.replace(/^\(|\)$/g, '');
  const full = name.startsWith(',') ? `hd0${name}` : name;
  return disk.volumes.find((volume) => volume.device === full || volume.device.replace(/,(?:gpt|msdos)/, ',') === full);
}
