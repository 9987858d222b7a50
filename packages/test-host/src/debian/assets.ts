/** What tests and the test host take from Debian: one row each, resolved to today's version when fetched. */
import { IMAGE_FIRMWARE, IMAGE_FIRMWARE_IDS } from './image-firmware.ts';
import { IMAGE_KERNEL_IDS, IMAGE_KERNELS } from './image-kernels.ts';
import { KERNEL_BUILD, KERNEL_BUILD_IDS } from './kernel-build.ts';
import type { Launcher } from './launchers.ts';
import { PEER_IDS, PEERS } from './peers.ts';
import type { SuiteGroup } from './suites.ts';

export const ASSET_IDS = [
  'kernel-5.10-cloud',
  'kernel-6.1-cloud',
  'kernel-6.1-generic',
  'kernel-6.12-cloud',
  'host-6.12',
  'host-newest',
  'busybox-static',
  'initrd-shell',
  'nasm',
  'qemu',
  'xz',
  'lz4',
  'zstd',
  'gcc',
  'disk-tools',
  'postgres',
  ...IMAGE_KERNEL_IDS,
  ...IMAGE_FIRMWARE_IDS,
  ...KERNEL_BUILD_IDS,
  ...PEER_IDS,
] as const;

export type AssetId = (typeof ASSET_IDS)[number];

const ON_DEMAND: ReadonlySet<string> = new Set([...KERNEL_BUILD_IDS, ...PEER_IDS]);

/** What is fetched where nothing is named. */
export const DEFAULT_ASSET_IDS: readonly AssetId[] = ASSET_IDS.filter((id) => !ON_DEMAND.has(id));

/** Names for several at once, understood wherever assets are fetched. */
export const ASSET_GROUPS: ReadonlyMap<string, readonly AssetId[]> = new Map<string, readonly AssetId[]>([
  ['image-kernels', IMAGE_KERNEL_IDS],
  ['image-firmware', IMAGE_FIRMWARE_IDS],
]);

/** What a test host cannot do without; `host-newest` is the other kernel that it can have. */
export const TEST_HOST_ASSETS: readonly AssetId[] = ['host-6.12', 'busybox-static', 'qemu'];

/** How an asset comes about. Names are matched as a whole; pools drop old versions, so that no row names one. */
export type AssetSource =
  | {
      /** The newest package of a name pattern, and those of its direct dependencies that `with` matches. */
      readonly kind: 'packages';
      readonly group: SuiteGroup;
      readonly prefix: string;
      readonly name: RegExp;
      readonly with?: RegExp;
      /** Folders that are left out. */
      readonly without?: readonly string[];
    }
  | {
      /** Packages with all that they depend on, down to the C library: they run from their folder on any distribution. */
      readonly kind: 'closure';
      readonly group: SuiteGroup;
      /** The first one's version is the asset's. */
      readonly names: readonly [string, ...string[]];
      /** Folders that are left out. */
      readonly without?: readonly string[];
      /** What can be started, by name. */
      readonly launchers?: Readonly<Record<string, Launcher>>;
      /** It becomes a small system, in which these can be started with these variables. */
      readonly system?: {
        readonly programs: readonly string[];
        readonly environment: Readonly<Record<string, string>>;
      };
    }
  | {
      /** Built here of another asset. */
      readonly kind: 'shell-initrd';
      readonly busybox: AssetId;
    };

export interface Asset {
  readonly title: string;
  readonly source: AssetSource;
  /** The file that the asset is fetched for, relative to where it was unpacked: the first that matches, in order. */
  readonly file: RegExp;
}

/** In `/boot` of a linux-image package; since the merge of /usr (trixie's backports) beside the modules. */
const VMLINUZ = /^(boot\/vmlinuz-[^/]+|usr\/lib\/modules\/[^/]+\/vmlinuz)$/;

/** Packages that a kernel's own linux-image package is split into since Linux 7.1: they carry its version in their name. */
const KERNEL_PARTS = /^linux-(base|binary|modules)-\d/;

/** `title` says for whom it is built, `flavour` is Debian's word for that. */
function guestKernel(group: SuiteGroup, release: string, title = 'cloud guests', flavour = 'cloud-amd64'): Asset {
  const prefix = `linux-image-${release}.`;
  // Modules are for installed systems: a guest here has what its kernel has built in.
  return {
    title: `Linux ${release} for ${title}`,
    source: { kind: 'packages', group, prefix, name: kernelName(release, flavour), without: ['lib', 'usr/lib'] },
    file: VMLINUZ,
  };
}

function hostKernel(group: SuiteGroup, title: string, prefix: string, name: RegExp): Asset {
  return { title, source: { kind: 'packages', group, prefix, name, with: KERNEL_PARTS }, file: VMLINUZ };
}

/** A tool that tests compare with: one program, run by its launcher. */
function tool(title: string, name: string, program: string): Asset {
  const launchers = { [program]: { program: new RegExp(`^usr/bin/${program}$`) } };
  return {
    title,
    source: { kind: 'closure', group: 'bookworm', names: [name], without: ['usr/share'], launchers },
    file: new RegExp(`^run/${program}$`),
  };
}

/** A program in /sbin or, since the merge of /usr, below usr. */
function systemProgram(name: string): RegExp {
  return new RegExp(`^(usr/)?s?bin/${name.replaceAll('.', '\\.')}$`);
}

/** What the tools of FAT convert names with; the C library would look for it on the machine. */
const CHARSETS = { GCONV_PATH: '$root/usr/lib/x86_64-linux-gnu/gconv' };

/** mtools is one program, its commands told by its first words. */
function mtool(command: string): Launcher {
  return { program: /^usr\/bin\/mtools$/, arguments: `-c ${command}`, environment: CHARSETS };
}

function kernelName(release: string, flavour: string): RegExp {
  return new RegExp(`^linux-image-${release.replaceAll('.', '\\.')}\\.[0-9][^-]*(-[0-9]+)?-${flavour}$`);
}

export const ASSETS: Readonly<Record<AssetId, Asset>> = {
  'kernel-5.10-cloud': guestKernel('bullseye', '5.10'),
  'kernel-6.1-cloud': guestKernel('bookworm', '6.1'),
  // Packed otherwise than the cloud flavour: xz with a branch filter.
  'kernel-6.1-generic': guestKernel('bookworm', '6.1', 'any machine', 'amd64'),
  'kernel-6.12-cloud': guestKernel('bookworm', '6.12'),
  // The cloud flavour has no 9p: a test host takes the generic one.
  'host-6.12': hostKernel('bookworm', 'Linux 6.12 for a test host', 'linux-image-6.12.', kernelName('6.12', 'amd64')),
  'host-newest': hostKernel(
    'newest',
    'the newest backported Linux for a test host',
    'linux-image-',
    /^linux-image-[0-9]+\.[0-9]+\.[0-9][^-]*-amd64$/,
  ),
  'busybox-static': {
    title: 'busybox, static',
    source: { kind: 'packages', group: 'bookworm', prefix: 'busybox-static', name: /^busybox-static$/ },
    file: /^(usr\/)?bin\/busybox$/,
  },
  'initrd-shell': {
    title: 'an initrd with a busybox shell',
    source: { kind: 'shell-initrd', busybox: 'busybox-static' },
    file: /^busybox-shell\.cpio$/,
  },
  nasm: {
    title: 'the assembler of the probe guest',
    source: { kind: 'packages', group: 'bookworm', prefix: 'nasm', name: /^nasm$/ },
    file: /^usr\/bin\/nasm$/,
  },
  qemu: {
    title: 'QEMU for the test host',
    source: { kind: 'closure', group: 'bookworm', names: ['qemu-system-x86'] },
    file: /^usr\/bin\/qemu-system-x86_64$/,
  },
  xz: tool('xz, as a reference', 'xz-utils', 'xz'),
  lz4: tool('lz4, as a reference', 'lz4', 'lz4'),
  zstd: tool('zstd, as a reference', 'zstd', 'zstd'),
  gcc: {
    title: "a C compiler with the kernel's headers",
    source: {
      kind: 'closure',
      group: 'bookworm',
      names: ['linux-libc-dev', 'gcc', 'libc6-dev'],
      without: ['usr/share'],
      // The compiler starts its parts from the folder that -B names: there, all have launchers. No part of it may come
      // from the machine, the C library and its headers included (--sysroot).
      launchers: {
        gcc: { program: /^usr\/bin\/x86_64-linux-gnu-gcc-\d+$/, arguments: '-B "$root/run/" --sysroot "$root"' },
        cc1: { program: /^usr\/lib(exec)?\/gcc\/x86_64-linux-gnu\/\d+\/cc1$/ },
        collect2: { program: /^usr\/lib(exec)?\/gcc\/x86_64-linux-gnu\/\d+\/collect2$/ },
        as: { program: /^usr\/bin\/x86_64-linux-gnu-as$/ },
        ld: { program: /^usr\/bin\/x86_64-linux-gnu-ld\.bfd$/ },
      },
    },
    file: /^run\/gcc$/,
  },
  'disk-tools': {
    title: 'what disk images are made with',
    source: {
      kind: 'closure',
      group: 'bookworm',
      names: ['qemu-utils', 'e2fsprogs', 'xfsprogs', 'dosfstools', 'mtools', 'fdisk', 'lzop', 'bzip2', 'tar'],
      without: ['usr/share'],
      launchers: {
        'qemu-img': { program: systemProgram('qemu-img') },
        mke2fs: {
          program: systemProgram('mke2fs'),
          environment: { MKE2FS_CONFIG: '$root/etc/mke2fs.conf' },
        },
        debugfs: { program: systemProgram('debugfs') },
        e2fsck: { program: systemProgram('e2fsck') },
        'mkfs.xfs': { program: systemProgram('mkfs.xfs') },
        xfs_db: { program: systemProgram('xfs_db') },
        'mkfs.vfat': { program: systemProgram('mkfs.fat'), environment: CHARSETS },
        mcopy: mtool('mcopy'),
        mmd: mtool('mmd'),
        sfdisk: { program: systemProgram('sfdisk') },
        lzop: { program: systemProgram('lzop') },
        bzip2: { program: systemProgram('bzip2') },
        tar: { program: systemProgram('tar') },
      },
    },
    file: /^run\/qemu-img$/,
  },
  postgres: {
    title: 'PostgreSQL',
    source: {
      kind: 'closure',
      group: 'bookworm',
      names: ['postgresql-15'],
      without: ['usr/share/doc', 'usr/share/locale', 'usr/share/man', 'usr/share/perl', 'usr/lib/llvm-14'],
      // initdb starts the server that lies beside it.
      launchers: {
        postgres: { program: /^usr\/lib\/postgresql\/\d+\/bin\/postgres$/, beside: true },
        initdb: { program: /^usr\/lib\/postgresql\/\d+\/bin\/initdb$/ },
      },
    },
    file: /^run\/postgres$/,
  },
  ...IMAGE_KERNELS,
  ...IMAGE_FIRMWARE,
  ...KERNEL_BUILD,
  ...PEERS,
};

export function isAssetId(text: string): text is AssetId {
  return ASSET_IDS.some((id) => id === text);
}

/** The assets that a word stands for: one by its id, several by the name of a group; undefined for any other word. */
export function assetsNamed(word: string): readonly AssetId[] | undefined {
  return isAssetId(word) ? [word] : ASSET_GROUPS.get(word);
}
