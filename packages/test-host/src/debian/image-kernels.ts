/**
 * The kernels that verdicts are tested with, and what looks like one: a row for each suite and flavour of Debian. Of
 * each package only the kernel and its configuration are kept.
 */
import type { Asset } from './assets.ts';
import type { SuiteGroup } from './suites.ts';

export const IMAGE_KERNEL_IDS = [
  'image-bullseye-amd64',
  'image-bullseye-rt',
  'image-bullseye-686',
  'image-bullseye-686-pae',
  'image-bookworm-rt',
  'image-bookworm-686-pae',
  'image-trixie-amd64',
  'image-trixie-cloud',
  'image-trixie-rt',
  'image-backports-cloud',
  'image-backports-rt',
  'image-sid-amd64',
  'image-sid-cloud',
  'image-sid-rt',
  'lookalike-memtest',
  'lookalike-ipxe',
  'lookalike-xen',
  'lookalike-grub-bios',
  'lookalike-grub-efi',
  'systemd-boot-efi',
] as const;

type ImageKernelId = (typeof IMAGE_KERNEL_IDS)[number];

/** Modules and manuals, which no verdict is made of. */
const NOT_THE_KERNEL = ['lib', 'usr/lib', 'usr/share'];

/** A kernel from its package for installed systems, which also has the configuration. */
function installed(group: SuiteGroup, title: string, release: string, flavour: string): Asset {
  const prefix = `linux-image-${release}.`;
  const name = new RegExp(`^linux-image-${escaped(release)}\\.[0-9][^-]*(-[0-9]+)?-${flavour}$`);
  return {
    title: `the ${flavour} kernel of ${title}`,
    source: { kind: 'packages', group, prefix, name, without: NOT_THE_KERNEL },
    file: /^boot\/vmlinuz-[^/]+$/,
  };
}

/** The installer's package of the same kernel: a tenth of the download, without the configuration. */
function ofInstaller(title: string, release: string, flavour: string): Asset {
  const prefix = `kernel-image-${release}.`;
  const name = new RegExp(`^kernel-image-${escaped(release)}\\.[0-9][^-]*(-[0-9]+)?-${flavour}-di$`);
  return {
    title: `the ${flavour} kernel of ${title}'s installer`,
    source: { kind: 'packages', group: 'installer', prefix, name, without: NOT_THE_KERNEL },
    file: /^boot\/vmlinuz[^/]*$/,
  };
}

/** Since Linux 7.1 the kernel has a package of its own, `linux-binary`, and its configuration is in `linux-base`. */
function split(group: SuiteGroup, title: string, flavour: string): Asset {
  const name = new RegExp(`^linux-binary-[0-9]+\\.[0-9]+\\.[0-9][^-]*-${flavour}$`);
  return {
    title: `the ${flavour} kernel of ${title}`,
    source: { kind: 'packages', group, prefix: 'linux-binary-', name, with: /^linux-base-\d/, without: ['usr/share'] },
    file: /^usr\/lib\/modules\/[^/]+\/vmlinuz$/,
  };
}

/** One package of bookworm by its name, or the newest of a pattern, without some folders. */
function lookalike(title: string, prefix: string, name: RegExp, file: RegExp, without: string): Asset {
  return { title, source: { kind: 'packages', group: 'bookworm', prefix, name, without: [without] }, file };
}

function escaped(release: string): string {
  return release.replaceAll('.', '\\.');
}

export const IMAGE_KERNELS: Readonly<Record<ImageKernelId, Asset>> = {
  'image-bullseye-amd64': ofInstaller('bullseye', '5.10', 'amd64'),
  'image-bullseye-rt': installed('bullseye', 'bullseye', '5.10', 'rt-amd64'),
  'image-bullseye-686': installed('i386', 'bullseye', '5.10', '686'),
  'image-bullseye-686-pae': installed('i386', 'bullseye', '5.10', '686-pae'),
  // Bookworm's other two are kernel-6.1-generic and kernel-6.1-cloud.
  'image-bookworm-rt': installed('bookworm', 'bookworm', '6.1', 'rt-amd64'),
  'image-bookworm-686-pae': installed('i386', 'bookworm', '6.1', '686-pae'),
  'image-trixie-amd64': ofInstaller('trixie', '6.12', 'amd64'),
  'image-trixie-cloud': installed('newest', 'trixie', '6.12', 'cloud-amd64'),
  'image-trixie-rt': installed('newest', 'trixie', '6.12', 'rt-amd64'),
  // The third flavour of trixie-backports is host-newest.
  'image-backports-cloud': split('newest', 'trixie-backports', 'cloud-amd64'),
  'image-backports-rt': split('newest', 'trixie-backports', 'rt-amd64'),
  'image-sid-amd64': split('sid', 'sid', 'amd64'),
  'image-sid-cloud': split('sid', 'sid', 'cloud-amd64'),
  'image-sid-rt': split('sid', 'sid', 'rt-amd64'),
  'lookalike-memtest': lookalike(
    'memtest86+, which has a setup header',
    'memtest86+',
    /^memtest86\+$/,
    /^boot\/.*x64\.bin$/,
    'usr',
  ),
  'lookalike-ipxe': lookalike('iPXE, which has a setup header', 'ipxe', /^ipxe$/, /^boot\/ipxe\.lkrn$/, 'usr'),
  'lookalike-xen': lookalike(
    'the Xen hypervisor',
    'xen-hypervisor-4',
    /^xen-hypervisor-4\.\d+-amd64$/,
    /^boot\/xen-[^/]+\.gz$/,
    'usr',
  ),
  'lookalike-grub-bios': lookalike(
    "GRUB's loader for those who load Linux, which has a setup header",
    'grub-pc-bin',
    /^grub-pc-bin$/,
    /\/i386-pc\/lnxboot\.img$/,
    'usr/share',
  ),
  'lookalike-grub-efi': lookalike(
    'GRUB as an EFI program',
    'grub-efi-amd64-bin',
    /^grub-efi-amd64-bin$/,
    /\/monolithic\/grubx64\.efi$/,
    'usr/share',
  ),
  'systemd-boot-efi': {
    title: 'the stub of unified kernel images',
    source: {
      kind: 'packages',
      group: 'newest',
      prefix: 'systemd-boot-efi',
      name: /^systemd-boot-efi$/,
      without: ['usr/share'],
    },
    file: /\/linuxx64\.efi\.stub$/,
  },
};
