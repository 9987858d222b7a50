/**
 * What control kernels are built from: Debian's sources, and the tools that a machine with a C compiler may lack. Half a
 * gigabyte that no test needs: only fetched when asked for by name.
 */
import type { Asset } from './assets.ts';

export const KERNEL_BUILD_IDS = ['kernel-source-6.1', 'kernel-source-6.12', 'kernel-build-tools', 'llvm'] as const;

type KernelBuildId = (typeof KERNEL_BUILD_IDS)[number];

function source(release: string): Asset {
  const escaped = release.replaceAll('.', '\\.');
  const name = new RegExp(`^linux-source-${escaped}$`);
  return {
    title: `the source of Debian's Linux ${release}`,
    source: { kind: 'packages', group: 'bookworm', prefix: `linux-source-${release}`, name },
    file: new RegExp(`^usr/src/linux-source-${escaped}\\.tar\\.xz$`),
  };
}

export const KERNEL_BUILD: Readonly<Record<KernelBuildId, Asset>> = {
  'kernel-source-6.1': source('6.1'),
  'kernel-source-6.12': source('6.12'),
  'kernel-build-tools': {
    title: 'what a kernel is built with beside a C compiler',
    source: { kind: 'closure', group: 'bookworm', names: ['pahole', 'bison', 'flex', 'm4', 'libelf-dev'] },
    file: /^usr\/bin\/bison$/,
  },
  llvm: {
    title: 'clang and its linker',
    source: { kind: 'closure', group: 'bookworm', names: ['clang-16', 'lld-16', 'llvm-16'], without: ['usr/share'] },
    file: /^usr\/lib\/llvm-16\/bin\/clang$/,
  },
};
