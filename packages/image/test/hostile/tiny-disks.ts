/** True images as small as their formats let them be, with a kernel and a loader's configuration in them. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type FilesystemSpec, makeFilesystem } from '../image-set/filesystems.ts';
import type { Tree } from '../image-set/tree.ts';
import { bzImage } from '../synthetic/bz-image.ts';
import { syntheticKernel } from '../synthetic/kernel.ts';
import { diskTool } from '../tools.ts';

const KIB = 1024;

let packed: Buffer | undefined;

/** A bzImage of a few KiB that gets a whole verdict. */
export function tinyKernel(): Buffer {
  if (packed === undefined) {
    packed = bzImage(gzipSync(syntheticKernel(), { level: 9 }));
  }
  return packed;
}

export const GRUB_CFG = `set default="0"
set timeout=5
if [ -s $prefix/grubenv ]; then
  load_env
fi
function savedefault {
  save_env saved_entry
}
menuentry 'Linux' --class os $menuentry_id_option 'simple' {
  search --no-floppy --fs-uuid --set=root 5a1b7c0e-43d2-4f8a-9a55-0d6f2c1e7b01
  linux /boot/vmlinuz-6.0-test root=/dev/vda1 ro quiet
  initrd /boot/initrd.img-6.0-test
}
submenu 'More' --id more {
  menuentry 'Linux, older' --id older {
    linux /boot/vmlinuz-5.0-test root=/dev/vda1 ro nopv
  }
}
if [ -f $prefix/custom.cfg ]; then source $prefix/custom.cfg; fi
`;

export const EXTLINUX_CONF = `default l0
label l0
  linux /vmlinuz
  append root=/dev/vda ro
label l1
  kernel /vmlinuz.old
  append nopv
`;

/** Folders, links and files as a root filesystem has them, some with holes or of many names. */
export function rootTree(names = 40): Tree {
  const many = Array.from({ length: names }, (_, index) => [`usr/many/a-name-of-some-length-${index}`, `${index}\n`]);
  return {
    ...(Object.fromEntries(many) as Tree),
    'boot/vmlinuz-6.0-test': tinyKernel(),
    'boot/vmlinuz-5.0-test': tinyKernel(),
    'boot/initrd.img-6.0-test': 'an initrd\n'.repeat(20),
    'boot/grub/grub.cfg': GRUB_CFG,
    'boot/grub/grubenv': '# GRUB Environment Block\nsaved_entry=simple\n'.padEnd(KIB, '#'),
    vmlinuz: { link: 'boot/vmlinuz-6.0-test' },
    long: { link: `${'../'.repeat(40)}boot/vmlinuz-6.0-test` },
    loop: { link: 'loop' },
    'usr/lib/modules/6.0-test/config': 'CONFIG_X=y\n'.repeat(300),
  };
}

/** What an ESP without a table has. */
export function fatTree(): Tree {
  return {
    vmlinuz: tinyKernel(),
    'vmlinuz.old': tinyKernel(),
    'extlinux/extlinux.conf': EXTLINUX_CONF,
    'loader/a file with a long name, and spaces.conf': 'title none\n',
  };
}

/** The bytes of a filesystem. */
export function filesystem(kib: number, spec: FilesystemSpec, tree: Tree): Buffer {
  return inFolder((folder) => {
    const path = join(folder, 'filesystem');
    makeFilesystem(path, kib * KIB, spec, tree);
    return readFileSync(path);
  });
}

/** A disk that is one FAT. */
export function fatDisk(kib = 360): Buffer {
  return filesystem(kib, { kind: 'fat', bits: 12, label: 'BOOT' }, fatTree());
}

/** What qemu-img makes of a raw disk. */
export function converted(raw: Uint8Array, format: string, ...options: readonly string[]): Buffer {
  return inFolder((folder) => {
    const [from, to] = [join(folder, 'raw'), join(folder, 'converted')];
    writeFileSync(from, raw);
    diskTool('qemu-img', ['convert', '-f', 'raw', '-O', format, ...options, from, to]);
    return readFileSync(to);
  });
}

/** A disk divided by sfdisk, with a filesystem at a place. */
export function divided(kib: number, script: string, ...parts: readonly (readonly [at: number, Buffer])[]): Buffer {
  return inFolder((folder) => {
    const path = join(folder, 'disk');
    const disk = Buffer.alloc(kib * KIB);
    for (const [at, bytes] of parts) bytes.copy(disk, at);
    writeFileSync(path, disk);
    diskTool('sfdisk', ['--quiet', '--no-tell-kernel', '--wipe', 'never', '--wipe-partitions', 'never', path], {
      input: script,
    });
    return readFileSync(path);
  });
}

function inFolder<T>(work: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'unpin-tiny-'));
  try {
    return work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
