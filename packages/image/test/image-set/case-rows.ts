/** Single questions: which entry boots, what a command line changes, and what stands in the way. */
import type { DiskSpec, PartSpec } from './disk.ts';
import { advancedEntry, debianGrub, environmentBlock } from './grub.ts';
import { UUIDS } from './ids.ts';
import { debianBoot, type Kernel } from './kernels.ts';
import * as layouts from './layouts.ts';
import { ext, extRoot } from './layouts.ts';
import { efiApplication } from './pe.ts';
import type { Row } from './row.ts';
import { below, merge, type Tree } from './tree.ts';

const DEBIAN = 'Debian GNU/Linux';

/** A root filesystem with Debian's files in /boot, and whatever else. */
function root(kernels: readonly Kernel[], tree: Tree): DiskSpec {
  const all = merge(below('boot', debianBoot(...kernels)), tree);
  return { table: 'gpt', parts: [{ use: 'linux', mib: 96, filesystem: ext('ext4', 4096), tree: all }] };
}

/** A partition in which there is nothing but the words that it is known by. */
function only(use: PartSpec['use'], bytes: Uint8Array, mib = 16): PartSpec {
  return { use, mib, filesystem: { kind: 'header', bytes }, tree: {} };
}

/** Bytes with a text at a place. */
function magic(...places: readonly (readonly [offset: number, text: string])[]): Uint8Array {
  const end = Math.max(...places.map(([offset, text]) => offset + text.length));
  const bytes = Buffer.alloc(end + 512);
  for (const [offset, text] of places) bytes.write(text, offset, 'latin1');
  return bytes;
}

/** What the tools of each write first. */
const LUKS = magic([0, 'LUKS\xba\xbe\0\x02'], [0x18, 'cryptroot'], [0x48, 'sha256']);
const BTRFS = magic([0x10000 + 0x40, '_BHRfS_M'], [0x10000 + 0x12b, 'fedora']);
const LVM = magic([512, 'LABELONE'], [512 + 24, 'LVM2 001']);
const NTFS = magic([0, '\xeb\x52\x90NTFS    '], [510, '\x55\xaa']);

export const CASE_ROWS: readonly Row[] = [
  {
    id: 'grub-older-by-number',
    like: 'GRUB_DEFAULT="1>2": the older kernel, in the second menu',
    format: 'qcow2-zstd',
    kernels: ['6.12', '5.10'],
    disk: (kernels) => extRoot(ext('ext4', 4096), DEBIAN, { default: '1>2' })('gpt', kernels),
    expect: { boots: '5.10', loader: 'grub', reports: 'no' },
  },
  {
    id: 'grub-older-saved',
    like: 'GRUB_DEFAULT=saved, and the older kernel was chosen last',
    format: 'qcow2-zstd',
    kernels: ['6.12', '5.10'],
    disk: (kernels) => {
      const [, older] = kernels;
      if (older === undefined) throw new Error('two kernels');
      return root(kernels, {
        'boot/grub/grub.cfg': debianGrub(DEBIAN, kernels, { saved: true }),
        'boot/grub/grubenv': environmentBlock({ saved_entry: advancedEntry(older) }),
      });
    },
    expect: { boots: '5.10', loader: 'grub', reports: 'no' },
  },
  {
    id: 'grub-default-from-elsewhere',
    like: 'a default that depends on the machine: every entry counts',
    format: 'raw',
    kernels: ['6.12', '5.10'],
    disk: (kernels) => {
      const text = debianGrub(DEBIAN, kernels).replace(
        'insmod all_video',
        'insmod all_video\n  smbios --type 1 --get-string 5 --set system',
      );
      const config = `${text}\nsmbios --type 1 --get-string 5 --set product\nset default="$product"\n`;
      return root(kernels, { 'boot/grub/grub.cfg': config });
    },
    expect: { boots: 'all', loader: 'grub', reports: 'no', obstacle: /what 'default' is can't be told/ },
  },
  {
    id: 'no-loader-two-kernels',
    like: 'two kernels in /boot, nothing that says which: both count',
    format: 'raw',
    kernels: ['6.12', '5.10'],
    disk: (kernels) => root(kernels, {}),
    expect: { boots: 'all', loader: 'none-found', reports: 'no', obstacle: /every kernel in the usual places counts/ },
  },
  {
    id: 'no-loader-usr',
    like: 'a kernel in /usr/lib/modules and nothing that names it',
    format: 'raw',
    kernels: ['7'],
    disk: (kernels) => layouts.kernelsInUsr(false)('gpt', kernels),
    expect: { boots: '7', loader: 'none-found', reports: 'yes', obstacle: /every kernel in the usual places counts/ },
  },
  {
    id: 'nopv-in-grub',
    like: 'a kernel that would report, told not to look for its hypervisor',
    format: 'qcow2-zlib',
    kernels: ['6.12'],
    disk: (kernels) => extRoot(ext('ext4', 4096), DEBIAN, { words: 'quiet nopv' })('gpt', kernels),
    expect: { boots: '6.12', loader: 'grub', commandLine: /\bnopv$/, reports: 'no' },
  },
  {
    id: 'nopv-in-uki',
    like: 'the same, in the command line inside a unified kernel image',
    format: 'raw',
    kernels: ['6.12'],
    disk: (kernels) => layouts.ukiOnEsp('root=/dev/vda2 nopv')('gpt', kernels),
    expect: { boots: '6.12', loader: 'systemd-boot', reports: 'no' },
  },
  {
    id: 'nopv-in-systemd-boot',
    like: 'the same, in the options of an entry',
    format: 'raw',
    kernels: ['6.12'],
    disk: (kernels) => layouts.systemdBootOnEsp({ words: 'nopv' })('gpt', kernels),
    expect: { boots: '6.12', loader: 'systemd-boot', commandLine: /\bnopv$/, reports: 'no' },
  },
  {
    id: 'luks-root-plain-boot',
    like: 'an encrypted root filesystem, /boot as it must be for that',
    format: 'qcow2-zlib',
    kernels: ['6.12'],
    disk: (kernels) => {
      const { table, parts } = layouts.ubuntuBoot('gpt', kernels);
      return { table, parts: [only('luks', LUKS), ...parts.slice(1)] };
    },
    expect: { boots: '6.12', loader: 'grub', reports: 'yes' },
  },
  {
    id: 'fedora-btrfs-root-ext4-boot',
    like: 'Fedora: a root of btrfs, entries in an ext4 for /boot',
    format: 'qcow2-zstd',
    kernels: ['6.12'],
    disk: (kernels) => {
      const { table, parts } = layouts.redHat('first')('gpt', kernels);
      const boot = ext('ext4', 4096, { uuid: UUIDS.boot });
      const others = parts.filter(({ use }) => use !== 'linux');
      const changed = others.map((part) => (part.use === 'xbootldr' ? { ...part, mib: 64, filesystem: boot } : part));
      return { table, parts: [...changed, only('linux', BTRFS)] };
    },
    expect: { boots: '6.12', loader: 'bls', reports: 'yes' },
  },
  {
    id: 'luks-all',
    like: 'everything but the ESP is encrypted',
    format: 'qcow2-zlib',
    kernels: [],
    disk: () => ({ table: 'gpt', parts: [only('luks', LUKS)] }),
    expect: { boots: 'nothing', reports: 'unknown', obstacle: /LUKS/ },
  },
  {
    id: 'luks-whole-disk',
    like: 'a disk that is one encrypted volume',
    format: 'raw',
    kernels: [],
    disk: () => ({ table: 'none', parts: [only('luks', LUKS)] }),
    expect: { boots: 'nothing', reports: 'unknown', obstacle: /LUKS/ },
  },
  {
    id: 'btrfs-all',
    like: 'one btrfs, /boot in it',
    format: 'raw',
    kernels: [],
    disk: () => ({ table: 'gpt', parts: [only('linux', BTRFS)] }),
    expect: { boots: 'nothing', reports: 'unknown', obstacle: /btrfs/i },
  },
  {
    id: 'lvm-all',
    like: 'an installer that puts everything into LVM',
    format: 'raw',
    kernels: [],
    disk: () => ({ table: 'mbr', parts: [only('linux', LVM)] }),
    expect: { boots: 'nothing', reports: 'unknown', obstacle: /LVM/ },
  },
  {
    id: 'windows',
    like: 'Windows: its boot manager on the ESP, NTFS behind',
    format: 'qcow2-zlib',
    kernels: [],
    disk: () => ({
      table: 'gpt',
      parts: [
        {
          use: 'esp',
          mib: 64,
          filesystem: { kind: 'fat', bits: 32 },
          tree: {
            'EFI/Boot/bootx64.efi': efiApplication('bootmgfw.pdb'),
            'EFI/Microsoft/Boot/bootmgfw.efi': efiApplication('bootmgfw.pdb'),
            'EFI/Microsoft/Boot/BCD': 'regf\0',
          },
        },
        only('msdata', NTFS),
      ],
    }),
    expect: { boots: 'nothing', reports: 'unknown', obstacle: /Windows/ },
  },
  {
    id: 'empty',
    like: 'a disk of zeros',
    format: 'qcow2-zlib',
    kernels: [],
    disk: () => ({ table: 'none', parts: [only('linux', new Uint8Array(512))] }),
    expect: { boots: 'nothing', reports: 'unknown', obstacle: /./ },
  },
  ...(['vmdk', 'vdi', 'vhdx', 'vpc'] as const).map(
    (format): Row => ({
      id: `format-${format}`,
      like: 'a format that is known by name only',
      format,
      kernels: [],
      disk: () => ({ table: 'gpt', parts: [only('linux', BTRFS)] }),
      expect: {
        boots: 'nothing',
        reports: 'unknown',
        obstacle: { vmdk: /VMDK/i, vdi: /VDI/i, vhdx: /VHDX/i, vpc: /VHD|VPC/i }[format],
      },
    }),
  ),
];
