import type { BootEntry, BootFile } from './boot-choice.ts';
import type { BootDisk, BootVolume } from './boot-disk.ts';
import { unifiedEntries } from './systemd-boot/entries.ts';

/** Where distributions put kernels, whatever loads them. */
const PATTERNS: readonly string[] = [
  '/boot/vmlinuz*',
  '/boot/vmlinux*',
  '/boot/bzImage*',
  '/boot/kernel-*',
  '/boot/linux-*',
  // A filesystem that is mounted at /boot, or the links of Debian in /.
  '/vmlinuz*',
  '/vmlinux*',
  '/bzImage*',
  '/kernel-*',
  // Debian since 7.x, Fedora, SUSE.
  '/usr/lib/modules/*/vmlinuz',
  '/lib/modules/*/vmlinuz',
  // ESPs: Flatcar, CoreOS, ChromeOS's kin, kernel-install.
  '/flatcar/vmlinuz*',
  '/coreos/vmlinuz*',
  '/syslinux/vmlinuz*',
  '/boot/vmlinuz/*',
  '/EFI/*/vmlinuz*',
];
/** Where kernel-install puts them, by machine and release: on ESPs and the like only, roots have too many folders. */
const INSTALLED = '/*/*/linux';

/** Kernels of one disk; more are none that a loader offers. */
const KERNEL_LIMIT = 500;
/** Where there are more than these, copies are judged as often as they are there. */
const COMPARED = 20;
/** Compared at a time, in bytes. */
const CHUNK = 2 ** 20;

/** Every kernel that lies where distributions put them, each file once; a copy of another counts as that. */
export async function knownKernels(disk: BootDisk): Promise<readonly BootEntry[]> {
  const kernels: BootFile[] = [];
  const entries: BootEntry[] = [];
  for (const on of disk.volumes) {
    const patterns = on.volume.filesystem.ignoresCase ? [...PATTERNS, INSTALLED] : PATTERNS;
    for (const pattern of patterns)
      for (const path of await disk.glob(on, pattern)) {
        const kernel = await kernelAt(disk, on, path);
        if (kernel === undefined || kernels.includes(kernel) || kernels.length >= KERNEL_LIMIT) continue;
        if (await isCopy(disk, kernel, kernels)) continue;
        kernels.push(kernel);
        entries.push({ title: kernel.name, loader: 'none-found', kernel, initrds: [], commandLine: undefined });
      }
    if (on.volume.filesystem.ignoresCase)
      for (const { start } of await unifiedEntries(disk, on, 'uki', [])) entries.push(start);
  }
  return entries;
}

async function kernelAt(disk: BootDisk, on: BootVolume, path: string): Promise<BootFile | undefined> {
  disk.budget.takeSteps(1, 'kernel', 0);
  const found = await disk.findFile(on, path);
  // A signature or a checksum beside it is smaller than any kernel's setup code.
  if (found === undefined || found.node.size < 2 ** 12 || /\.(?:hmac|sig|p7s|sha256)$/.test(path)) return undefined;
  return await disk.tryBootFile(found);
}

/** Fedora and SUSE keep each kernel beside its modules as well. */
async function isCopy(disk: BootDisk, kernel: BootFile, others: readonly BootFile[]): Promise<boolean> {
  if (others.length > COMPARED) return false;
  for (const other of others)
    if (other.source.size === kernel.source.size && (await haveSameBytes(disk, kernel, other))) return true;
  return false;
}

async function haveSameBytes(disk: BootDisk, a: BootFile, b: BootFile): Promise<boolean> {
  const same = await disk.attempt(a.name, async () => {
    for (let at = 0; at < a.source.size; at += CHUNK) {
      const length = Math.min(CHUNK, a.source.size - at);
      disk.budget.takeSteps(1, a.name, at);
      const [one, two] = await Promise.all([a.source.read(at, length), b.source.read(at, length)]);
      if (Buffer.compare(one, two) !== 0) return false;
    }
    return true;
  });
  return same ?? false;
}
