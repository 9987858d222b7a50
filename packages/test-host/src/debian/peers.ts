/** Programs that ours are measured beside: large, and no test needs them, so that they are only fetched by name. */
import type { Asset } from './assets.ts';

export const PEER_IDS = ['libguestfs'] as const;

type PeerId = (typeof PEER_IDS)[number];

export const PEERS: Readonly<Record<PeerId, Asset>> = {
  libguestfs: {
    title: 'libguestfs, to inspect disk images as others do',
    source: {
      kind: 'closure',
      group: 'bookworm',
      names: [
        'libguestfs-tools',
        'guestfish',
        'linux-image-cloud-amd64',
        'qemu-system-x86',
        // What every Debian has, and no package asks for.
        'apt',
        'base-files',
        'base-passwd',
        'bash',
        'coreutils',
        'cpio',
        'dash',
        'debianutils',
        'diffutils',
        'dpkg',
        'findutils',
        'gawk',
        'grep',
        'gzip',
        'hostname',
        'init-system-helpers',
        'kmod',
        'libc-bin',
        'login',
        'mount',
        'perl-base',
        'sed',
        'tar',
        'util-linux',
      ],
      without: ['usr/share/doc', 'usr/share/man', 'usr/share/locale'],
      system: {
        programs: ['guestfish', 'virt-inspector', 'virt-get-kernel'],
        environment: { LIBGUESTFS_BACKEND: 'direct', LIBGUESTFS_BACKEND_SETTINGS: 'force_tcg' },
      },
    },
    file: /^run\/guestfish$/,
  },
};
