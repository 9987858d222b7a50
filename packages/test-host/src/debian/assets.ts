/** What tests and the test host take from Debian: one row each, resolved to today's version when fetched. */
import type { SuiteGroup } from './suites.ts';

export const ASSET_IDS = [
  'kernel-5.10-cloud',
  'kernel-6.1-cloud',
  'kernel-6.12-cloud',
  'host-6.12',
  'host-newest',
  'busybox-static',
  'initrd-shell',
  'nasm',
  'qemu',
] as const;

export type AssetId = (typeof ASSET_IDS)[number];

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
      /** Folders that are left out once unpacked. */
      readonly without?: readonly string[];
    }
  | {
      /** A package with all that it depends on, down to the C library: it runs from its folder on any distribution. */
      readonly kind: 'closure';
      readonly group: SuiteGroup;
      readonly name: string;
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

function guestKernel(group: SuiteGroup, release: string): Asset {
  const prefix = `linux-image-${release}.`;
  // Modules are for installed systems: a guest here has what its kernel has built in.
  return {
    title: `Linux ${release} for cloud guests`,
    source: { kind: 'packages', group, prefix, name: kernelName(release, 'cloud-amd64'), without: ['lib', 'usr/lib'] },
    file: VMLINUZ,
  };
}

function hostKernel(group: SuiteGroup, title: string, prefix: string, name: RegExp): Asset {
  return { title, source: { kind: 'packages', group, prefix, name, with: KERNEL_PARTS }, file: VMLINUZ };
}

function kernelName(release: string, flavour: string): RegExp {
  return new RegExp(`^linux-image-${release.replaceAll('.', '\\.')}\\.[0-9][^-]*(-[0-9]+)?-${flavour}$`);
}

export const ASSETS: Readonly<Record<AssetId, Asset>> = {
  'kernel-5.10-cloud': guestKernel('bullseye', '5.10'),
  'kernel-6.1-cloud': guestKernel('bookworm', '6.1'),
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
    source: { kind: 'closure', group: 'bookworm', name: 'qemu-system-x86' },
    file: /^usr\/bin\/qemu-system-x86_64$/,
  },
};

export function isAssetId(text: string): text is AssetId {
  return ASSET_IDS.some((id) => id === text);
}
