import { agree, type Way } from '../agree.ts';
import type { BootChoice } from '../boot-choice.ts';
import { type BootDisk, nameOf } from '../boot-disk.ts';
import { EXTLINUX_FILES, runExtlinux } from '../extlinux/run-extlinux.ts';
import { runGrub } from '../grub/run-grub.ts';

/** Where GRUB's files are: in the root filesystem, or in one that is mounted at /boot. */
const GRUB_PREFIXES: readonly string[] = ['/boot/grub', '/boot/grub2', '/grub', '/grub2'];

/**
 * What a start by BIOS firmware may boot: which loader is in the disk's boot sector, and where it looks, is in its
 * code; here every configuration that one of them would read is. Undefined where there is none.
 */
export async function startByBios(disk: BootDisk): Promise<BootChoice | undefined> {
  const ways: Way[] = [];
  const read = new Set<string>();
  for (const on of disk.volumes) {
    for (const folder of GRUB_PREFIXES) {
      const file = await disk.findFile(on, `${folder}/grub.cfg`);
      if (file === undefined || read.has(nameOf(file))) continue;
      read.add(nameOf(file));
      const start = {
        platform: 'bios',
        root: on.device,
        prefix: `(${on.device})${folder}`,
        commandPath: '',
        embedded: undefined,
        memdisk: undefined,
        name: `GRUB of ${on.title} ${folder}`,
      } as const;
      // BIOS starts no EFI program.
      ways.push({ by: nameOf(file), choice: await runGrub(disk, start, async () => undefined) });
    }
    for (const path of EXTLINUX_FILES) {
      const file = await disk.findFile(on, path);
      if (file === undefined || read.has(nameOf(file))) continue;
      read.add(nameOf(file));
      ways.push({ by: nameOf(file), choice: await runExtlinux(disk, file) });
    }
  }
  const alive = ways.filter(({ choice }) => choice.entries.length > 0);
  const dead = ways.filter(({ choice }) => choice.entries.length === 0);
  if (ways.length === 0) return undefined;
  const choice = agree(alive.length > 0 ? alive : ways, 'which configuration the loader in the boot sector reads');
  return { ...choice, doubts: [...choice.doubts, ...dead.flatMap((way) => way.choice.doubts)] };
}
