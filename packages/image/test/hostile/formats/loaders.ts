import { blsEntries, extlinux, systemdBoot } from '../../image-set/entries.ts';
import type { FilesystemSpec } from '../../image-set/filesystems.ts';
import { debianGrub, environmentBlock, redHatGrub } from '../../image-set/grub.ts';
import { MACHINE_ID, UUIDS } from '../../image-set/ids.ts';
import type { Kernel } from '../../image-set/kernels.ts';
import { systemdBootProgram } from '../../image-set/pe.ts';
import type { Tree } from '../../image-set/tree.ts';
import type { Draft } from '../draft.ts';
import type { HostileFormat } from '../format.ts';
import type { Random } from '../random.ts';
import { readImage } from '../read-everything.ts';
import { garbled } from '../texts.ts';
import { filesystem, tinyKernel } from '../tiny-disks.ts';

/**
 * A text is garbled in its place on a true disk: it begins with `MARK`, it ends with `END`, and room for more is kept
 * between them.
 */
const MARK = '# text of the set\n';
const END = '\n# end of it\n';
const ROOM = 24 * 1024;

const KERNELS: readonly Kernel[] = ['6.0-test', '5.0-test'].map((release) => ({
  asset: 'made here',
  release,
  bytes: Buffer.from(tinyKernel()),
  config: Buffer.alloc(0),
}));

const EXT: FilesystemSpec = {
  kind: 'ext',
  type: 'ext2',
  // Large enough for a text to lie in one piece: the first twelve blocks are told by the inode itself.
  blockBytes: 4096,
  features: '^metadata_csum',
  uuid: UUIDS.root,
};
const FAT: FilesystemSpec = { kind: 'fat', bits: 12, label: 'BOOT' };

/** A disk that is one filesystem with that in it. */
function loader(name: string, spec: FilesystemSpec, tree: () => Tree): HostileFormat {
  return {
    name,
    seeds: () => [filesystem(2048, spec, tree())],
    change: garbleTexts,
    read: readImage,
  };
}

function kernelFiles(folder: string, initrd = 'initrd.img-', ending = ''): Tree {
  const files = KERNELS.flatMap(({ release, bytes }): [string, Tree[string]][] => [
    [`${folder}vmlinuz-${release}`, bytes],
    [`${folder}${initrd}${release}${ending}`, `initrd of ${release}\n`],
  ]);
  return Object.fromEntries(files);
}

export const grub = loader('grub', EXT, () => ({
  ...kernelFiles('boot/'),
  'boot/grub/grub.cfg': roomy(debianGrub('Debian', KERNELS, { saved: true, default: '0' })),
  'boot/grub/custom.cfg': roomy('set x=1\n'),
  'boot/grub/grubenv': environmentBlock({ saved_entry: 'gnulinux-simple' }),
}));

export const bls = loader('bls', EXT, () => ({
  ...kernelFiles('boot/', 'initramfs-', '.img'),
  'boot/grub2/grub.cfg': redHatGrub({ bootUuid: UUIDS.root }),
  'boot/grub2/grubenv': environmentBlock({ saved_entry: `${MACHINE_ID}-6.0-test`, kernelopts: 'root=/dev/vda ro' }),
  ...Object.fromEntries(
    Object.entries(blsEntries(KERNELS, 'root=/dev/vda ro $tuned_params', '/boot')).map(([path, text]) => [
      `boot/${path}`,
      typeof text === 'string' ? roomy(text) : text,
    ]),
  ),
}));

export const systemdBootTexts = loader('systemd-boot', FAT, () => {
  const texts = Object.entries(systemdBoot(KERNELS, { default: '*-6.0*' })).map(
    ([path, text]): [string, Tree[string]] => [
      path,
      typeof text === 'string' && path.endsWith('.conf') ? roomy(text) : text,
    ],
  );
  const files = KERNELS.flatMap(({ release, bytes }): [string, Tree[string]][] => [
    [`${MACHINE_ID}/${release}/linux`, bytes],
    [`${MACHINE_ID}/${release}/initrd.img-${release}`, `initrd of ${release}\n`],
  ]);
  return { ...Object.fromEntries(texts), ...Object.fromEntries(files), 'EFI/BOOT/BOOTX64.EFI': systemdBootProgram() };
});

export const extlinuxTexts = loader('extlinux', FAT, () => ({
  ...kernelFiles(''),
  'extlinux/extlinux.conf': roomy(extlinux(KERNELS, '')),
}));

function roomy(text: string): string {
  return MARK + text + END.padStart(ROOM, '\n');
}

const known = new WeakMap<Draft, readonly { readonly at: number; readonly text: string; readonly room: number }[]>();

function garbleTexts(draft: Draft, random: Random): void {
  let places = known.get(draft);
  if (places === undefined) known.set(draft, (places = findTexts(draft)));
  const { at, text, room } = random.pick(places);
  const changed = Buffer.from(garbled(text, random)).subarray(0, room);
  // What is left of the room is empty lines, or ends the text with a NUL.
  draft.write(at, Buffer.concat([changed, Buffer.alloc(room - changed.length, random.once(20) ? '\0' : '\n')]));
}

/** Texts that lie in one piece, which they do on a disk that was just made. */
function findTexts({ bytes }: Draft) {
  const found = [];
  for (let mark = bytes.indexOf(MARK); mark >= 0; mark = bytes.indexOf(MARK, mark + 1)) {
    const end = bytes.indexOf(END, mark);
    if (end < 0) break;
    const at = mark + MARK.length;
    found.push({ at, text: bytes.toString('utf8', at, end).trimEnd(), room: end - at });
  }
  return found;
}
