/** The kernels in the images of the set: Debian's, as their packages lay them down, and what they must be found to do. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { assetPath } from '../assets.ts';
import type { Tree } from './tree.ts';

export const KERNELS = {
  /** Debian 11: does not report conversions. */
  '5.10': 'kernel-5.10-cloud',
  /** Debian 12: reports. */
  '6.1': 'kernel-6.1-cloud',
  /** Debian 12 for any machine: packed by xz. */
  '6.1-generic': 'kernel-6.1-generic',
  /** Debian 13's series: reports; packed by zstd. */
  '6.12': 'kernel-6.12-cloud',
  /** Lives beside its modules in /usr. */
  '7': 'host-newest',
} as const;

export type KernelId = keyof typeof KERNELS;

export interface Kernel {
  /** Its asset's. */
  readonly asset: string;
  /** As `uname -r` says it. */
  readonly release: string;
  readonly bytes: Uint8Array;
  /** The build's configuration, as packages bring it. */
  readonly config: Uint8Array;
}

/** Those of which the asset is missing. */
export function missingKernels(ids: readonly KernelId[]): readonly string[] {
  return ids.map((id) => KERNELS[id]).filter((asset) => assetPath(asset) === undefined);
}

const known = new Map<KernelId, Kernel>();

export function kernel(id: KernelId): Kernel {
  let found = known.get(id);
  if (found === undefined) known.set(id, (found = kernelOf(KERNELS[id])));
  return found;
}

/** The kernel of any asset that is one. */
export function kernelOf(asset: string): Kernel {
  const path = assetPath(asset);
  if (path === undefined) throw new Error(`${asset} was not fetched`);
  const beside = basename(path) === 'vmlinuz';
  const release = beside ? basename(dirname(path)) : basename(path).replace('vmlinuz-', '');
  const config = join(dirname(path), beside ? 'config' : `config-${release}`);
  return {
    asset,
    release,
    bytes: readFileSync(path),
    config: existsSync(config) ? readFileSync(config) : Buffer.alloc(0),
  };
}

/** Stands for an initrd: nobody unpacks it. Its bytes are its kernel's own. */
export function initrd(of: Kernel): Uint8Array {
  return Buffer.from(`070701 no archive, but the initrd of ${of.release}\n`.repeat(200));
}

/** What Debian's and Ubuntu's packages put into /boot; paths relative to it. */
export function debianBoot(...kernels: readonly Kernel[]): Tree {
  const tree: Record<string, Uint8Array | string> = {};
  for (const each of kernels) {
    tree[`vmlinuz-${each.release}`] = each.bytes;
    tree[`initrd.img-${each.release}`] = initrd(each);
    tree[`config-${each.release}`] = each.config;
    tree[`System.map-${each.release}`] =
      'ffffffffffffffff B The real System.map is in the linux-image-<version>-dbg package\n';
  }
  return tree;
}

/** What Fedora's and RHEL's put there. */
export function redHatBoot(...kernels: readonly Kernel[]): Tree {
  const tree: Record<string, Uint8Array | string> = {};
  for (const each of kernels) {
    tree[`vmlinuz-${each.release}`] = each.bytes;
    tree[`initramfs-${each.release}.img`] = initrd(each);
    tree[`config-${each.release}`] = each.config;
  }
  return tree;
}
