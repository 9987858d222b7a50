/**
 * How distributions divide disks: each a function from a kind of table and kernels, the one that boots first, to a disk.
 * Where the whole disk is to be one filesystem, the layout's own loader configuration is in it.
 */
import type { DiskSpec, PartSpec, TableKind } from './disk.ts';
import { blsEntries, blsId, extlinux, systemdBoot } from './entries.ts';
import type { FilesystemSpec } from './filesystems.ts';
import { debianGrub, ESP_MOUNT, environmentBlock, espGrub, espOfGrub, grubModules, redHatGrub } from './grub.ts';
import { MACHINE_ID, UUIDS } from './ids.ts';
import { debianBoot, initrd, type Kernel, redHatBoot } from './kernels.ts';
import { systemdBootProgram, unifiedKernel } from './pe.ts';
import { below, merge, type Tree } from './tree.ts';

/** What mke2fs knows that a root filesystem can have. */
export const EVERY_EXT4_FEATURE =
  '64bit,metadata_csum,metadata_csum_seed,inline_data,large_dir,ea_inode,project,quota,encrypt,casefold,orphan_file,verity';

/** Command lines that entries of the set bear, apart from their root. */
export const RED_HAT_OPTIONS = `root=UUID=${UUIDS.root} ro console=ttyS0,115200n8 crashkernel=1G-4G:192M`;

export const ext = (
  type: 'ext2' | 'ext3' | 'ext4',
  blockBytes: 1024 | 2048 | 4096,
  more: { readonly features?: string; readonly inodeBytes?: 128 | 256; readonly uuid?: string } = {},
): FilesystemSpec => ({ kind: 'ext', type, blockBytes, uuid: UUIDS.root, ...more });

const xfs = (uuid: string, ...options: readonly string[]): FilesystemSpec => ({ kind: 'xfs', uuid, options });
const fat = (bits: 12 | 16 | 32): FilesystemSpec => ({ kind: 'fat', bits, label: 'ESP' });

/** Words in a root filesystem that tell what it is, and that only it has. */
function rootTree(name: string): Tree {
  return {
    'etc/os-release': { link: '../usr/lib/os-release' },
    'usr/lib/os-release': `PRETTY_NAME="${name}"\nID=debian\n`,
    'etc/fstab': `UUID=${UUIDS.root}  /  auto  defaults  0  1\n${ESP_MOUNT}`,
    'etc/hostname': 'guest\n',
    'usr/bin/true': 'no program\n',
    bin: { link: 'usr/bin' },
    'vmlinuz.old': { link: 'boot/vmlinuz-of-long-ago' },
  };
}

const ESP = (mib: number, tree: Tree, bits: 12 | 16 | 32 = 16): PartSpec => ({
  use: 'esp',
  mib,
  filesystem: fat(bits),
  tree,
});
const BIOS_BOOT: PartSpec = {
  use: 'bios-boot',
  mib: 1,
  filesystem: { kind: 'header', bytes: Buffer.from('GRUB \0Geom\0Hard Disk\0Read\0 Error\r\n\0', 'latin1') },
  tree: {},
};

/** Which a table has room for: the small one that GRUB's BIOS part lies in is of GPTs only. */
function disk(table: TableKind, ...parts: readonly PartSpec[]): DiskSpec {
  return { table, parts: parts.filter(({ use }) => use !== 'bios-boot' || table === 'gpt') };
}

/** GRUB on one root filesystem of the ext family: Debian since ever. */
export function extRoot(filesystem: FilesystemSpec, system: string, options = {}) {
  return (table: TableKind, kernels: readonly Kernel[]): DiskSpec => {
    const tree = merge(
      rootTree(system),
      below('boot', debianBoot(...kernels)),
      { 'boot/grub/grub.cfg': debianGrub(system, kernels, options), 'boot/grub/grubenv': environmentBlock({}) },
      grubModules('i386-pc'),
    );
    return disk(table, BIOS_BOOT, { use: 'linux', mib: 96, filesystem, tree });
  };
}

/** Debian's cloud images: the root filesystem is number 1, though it lies behind 14 and 15. */
export function espAndRoot(table: TableKind, kernels: readonly Kernel[], options = {}): DiskSpec {
  const { parts } = extRoot(ext('ext4', 4096), 'Debian GNU/Linux', options)('none', kernels);
  const numbers = table === 'gpt';
  const esp = ESP(32, espOfGrub('debian', espGrub(UUIDS.root, '/boot/grub')));
  return disk(
    table,
    { ...BIOS_BOOT, ...(numbers && { number: 14 }) },
    { ...esp, ...(numbers && { number: 15 }) },
    ...parts.map((root) => ({ ...root, ...(numbers && { number: 1 }) })),
  );
}

/** Ubuntu's cloud images since 24.04: /boot is a filesystem of its own. */
export function ubuntuBoot(table: TableKind, kernels: readonly Kernel[]): DiskSpec {
  const boot = merge(
    debianBoot(...kernels),
    {
      'grub/grub.cfg': debianGrub('Ubuntu', kernels, { bootUuid: UUIDS.boot, bootPath: '' }),
      'grub/grubenv': environmentBlock({}),
      vmlinuz: { link: `vmlinuz-${kernels[0]?.release ?? ''}` },
    },
    grubModules('x86_64-efi', 'grub'),
  );
  return disk(
    table,
    { use: 'linux', mib: 16, filesystem: ext('ext4', 4096), tree: rootTree('Ubuntu 24.04') },
    BIOS_BOOT,
    ESP(32, espOfGrub('ubuntu', espGrub(UUIDS.boot, '/grub'))),
    { use: 'xbootldr', mib: 96, filesystem: ext('ext4', 1024, { uuid: UUIDS.boot }), tree: boot },
  );
}

/** A single XFS with /boot/grub2: SUSE and older RHEL; kernels are links into /usr/lib/modules. */
export function xfsRoot(table: TableKind, kernels: readonly Kernel[]): DiskSpec {
  const links = kernels.flatMap((each): [string, Tree[string]][] => [
    [`boot/vmlinuz-${each.release}`, { link: `../usr/lib/modules/${each.release}/vmlinuz` }],
    [`usr/lib/modules/${each.release}/vmlinuz`, each.bytes],
    [`usr/lib/modules/${each.release}/config`, each.config],
    [`boot/initrd.img-${each.release}`, initrd(each)],
  ]);
  const tree = merge(rootTree('openSUSE Leap'), Object.fromEntries(links), grubModules('i386-pc', 'boot/grub2'), {
    'boot/grub2/grub.cfg': debianGrub('openSUSE Leap', kernels),
    'boot/grub2/grubenv': environmentBlock({}),
  });
  return disk(table, BIOS_BOOT, { use: 'linux', mib: 320, filesystem: xfs(UUIDS.root), tree });
}

/** RHEL 9: ESP, an XFS for /boot, an XFS for the rest; entries in files of their own, the default is saved. */
export function redHat(saved: 'first' | 'last' = 'first') {
  return (table: TableKind, kernels: readonly Kernel[]): DiskSpec => {
    const chosen = saved === 'first' ? kernels[0] : kernels.at(-1);
    if (chosen === undefined) throw new Error('no kernel');
    const boot = merge(redHatBoot(...kernels), blsEntries(kernels, RED_HAT_OPTIONS), {
      'grub2/grub.cfg': redHatGrub(),
      'grub2/grubenv': environmentBlock({ saved_entry: blsId(chosen), boot_success: '0' }),
    });
    return disk(
      table,
      BIOS_BOOT,
      ESP(32, espOfGrub('redhat', espGrub(UUIDS.boot, '/grub2'))),
      { use: 'xbootldr', mib: 320, filesystem: xfs(UUIDS.boot), tree: boot },
      {
        use: 'linux',
        mib: 304,
        filesystem: xfs(UUIDS.root, '-i', 'nrext64=0'),
        tree: rootTree('Red Hat Enterprise Linux 9.4'),
      },
    );
  };
}

/** A unified kernel image on the ESP, which firmware or systemd-boot starts. */
export function ukiOnEsp(words: string | undefined) {
  return (table: TableKind, kernels: readonly Kernel[]): DiskSpec => {
    const images = kernels.map((each) => [
      `EFI/Linux/debian-${each.release}.efi`,
      unifiedKernel(each.release, each.bytes, initrd(each), words),
    ]);
    const tree = merge(Object.fromEntries(images) as Tree, {
      'EFI/BOOT/BOOTX64.EFI': systemdBootProgram(),
      'EFI/systemd/systemd-bootx64.efi': systemdBootProgram(),
      'loader/loader.conf': 'timeout 3\n',
    });
    return disk(table, ESP(96, tree, 32), {
      use: 'linux',
      mib: 16,
      filesystem: ext('ext4', 4096),
      tree: rootTree('Fedora Linux 42'),
    });
  };
}

/** The removable path itself is a unified kernel image: firmware boots it, there is no loader. */
export function ukiAlone(table: TableKind, kernels: readonly Kernel[]): DiskSpec {
  const [each] = kernels;
  if (each === undefined) throw new Error('no kernel');
  const uki = unifiedKernel(each.release, each.bytes, initrd(each), 'root=/dev/vda2 ro');
  return disk(table, ESP(64, { 'EFI/BOOT/BOOTX64.EFI': uki }));
}

/** extlinux.conf and the kernels in one FAT: what boards' and small images have. */
export function extlinuxOnFat(bits: 12 | 16 | 32, chosen = 0) {
  return (table: TableKind, kernels: readonly Kernel[]): DiskSpec =>
    disk(table, {
      use: table === 'mbr' ? 'msdata' : 'esp',
      mib: 64,
      filesystem: fat(bits),
      tree: merge(debianBoot(...kernels), { 'extlinux/extlinux.conf': extlinux(kernels, '', chosen) }),
    });
}

/** systemd-boot: kernels and entries on the ESP, as kernel-install lays them. */
export function systemdBootOnEsp(settings: { readonly default?: string; readonly words?: string } = {}) {
  return (table: TableKind, kernels: readonly Kernel[]): DiskSpec => {
    const files = kernels.flatMap((each): [string, Tree[string]][] => [
      [`${MACHINE_ID}/${each.release}/linux`, each.bytes],
      [`${MACHINE_ID}/${each.release}/initrd.img-${each.release}`, initrd(each)],
    ]);
    const tree = merge(Object.fromEntries(files), systemdBoot(kernels, settings), {
      'EFI/BOOT/BOOTX64.EFI': systemdBootProgram(),
      'EFI/systemd/systemd-bootx64.efi': systemdBootProgram(),
      'EFI/Linux/.keep': '',
    });
    return disk(table, ESP(96, tree, 32), {
      use: 'linux',
      mib: 16,
      filesystem: ext('ext4', 4096),
      tree: rootTree('Debian GNU/Linux 13'),
    });
  };
}

/** Debian's kernels since 7.1: nothing of them is in /boot but what was made there. */
export function kernelsInUsr(grub: boolean) {
  return (table: TableKind, kernels: readonly Kernel[]): DiskSpec => {
    const files = kernels.flatMap((each): [string, Tree[string]][] => [
      [`usr/lib/modules/${each.release}/vmlinuz`, each.bytes],
      [`usr/lib/modules/${each.release}/config`, each.config],
      [`usr/lib/modules/${each.release}/modules.builtin`, 'kernel/arch/x86/virt/svm/sev.ko\n'],
      [`boot/initrd.img-${each.release}`, initrd(each)],
    ]);
    const config = debianGrub('Debian GNU/Linux', kernels).replaceAll(
      /\/boot\/vmlinuz-(\S+)/g,
      '/usr/lib/modules/$1/vmlinuz',
    );
    const tree = merge(
      rootTree('Debian GNU/Linux forky/sid'),
      { lib: { link: 'usr/lib' } },
      Object.fromEntries(files),
      grub ? { 'boot/grub/grub.cfg': config, 'boot/grub/grubenv': environmentBlock({}) } : {},
    );
    return disk(table, BIOS_BOOT, { use: 'linux', mib: 96, filesystem: ext('ext4', 4096), tree });
  };
}

/** All of them, by a name, with the first kernel as the one that boots. */
export const EVERY_LAYOUT: Readonly<Record<string, (table: TableKind, kernels: readonly Kernel[]) => DiskSpec>> = {
  ext2: extRoot(ext('ext2', 1024, { inodeBytes: 128 }), 'Debian GNU/Linux'),
  ext3: extRoot(ext('ext3', 2048), 'Debian GNU/Linux'),
  ext4: extRoot(ext('ext4', 4096), 'Debian GNU/Linux'),
  'ext4 with every feature': extRoot(ext('ext4', 4096, { features: EVERY_EXT4_FEATURE }), 'Debian GNU/Linux'),
  'ext4 without extents': extRoot(ext('ext4', 4096, { features: '^extent,^64bit' }), 'Debian GNU/Linux'),
  'ESP and ext4': espAndRoot,
  'ext4 for /boot': ubuntuBoot,
  XFS: xfsRoot,
  'XFS for /boot': redHat(),
  'UKI on the ESP': (table, kernels) => ukiOnEsp('root=/dev/vda2 ro')(table, kernels.slice(0, 1)),
  'UKI alone': ukiAlone,
  'extlinux on FAT': extlinuxOnFat(16),
  'systemd-boot': systemdBootOnEsp(),
  'kernels in /usr': kernelsInUsr(true),
};
