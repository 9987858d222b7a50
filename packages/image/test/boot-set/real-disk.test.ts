/** A disk as an installer leaves it, made by the real tools: FAT and ext4, with Debian's own GRUB and systemd-boot. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import type { BootChoice } from '../../src/boot-set/boot-choice.ts';
import { chooseBoot } from '../../src/boot-set/choose-boot.ts';
import { openFilesystem } from '../../src/filesystem/open-filesystem.ts';
import type { Volume } from '../../src/filesystem/volume.ts';
import { readPartitionTable } from '../../src/partition/read-partition-table.ts';
import { memorySource } from '../../src/source/memory-source.ts';
import { assetPath } from '../assets.ts';
import { makeDisk } from '../image-set/disk.ts';
import type { Tree } from '../image-set/tree.ts';
import { scratchFolder } from '../scratch.ts';
import { needsDiskTools } from '../tools.ts';
import { plenty } from './memory-volume.ts';
import { shimProgram } from './programs.ts';

const ROOT_UUID = '0fc63daf-0000-4000-8000-00000000000a';
const scratch = scratchFolder();

function needs(asset: string): { skip: string | false } {
  const { skip } = needsDiskTools();
  return { skip: skip || (assetPath(asset) === undefined && `not fetched: ${asset}: unpin test-host fetch ${asset}`) };
}

/** Of the folder of systemd's programs the asset names another one. */
function program(asset: string, file?: string): Buffer {
  const path = assetPath(asset) ?? '';
  return readFileSync(file === undefined ? path : join(dirname(path), file));
}

async function chooseFrom(name: string, esp: Tree, root: Tree): Promise<BootChoice> {
  const path = join(scratch, name);
  makeDisk(path, {
    table: 'gpt',
    parts: [
      { use: 'esp', mib: 40, filesystem: { kind: 'fat', bits: 32 }, tree: esp },
      {
        use: 'linux',
        mib: 20,
        filesystem: { kind: 'ext', type: 'ext4', blockBytes: 4096, uuid: ROOT_UUID },
        tree: root,
      },
    ],
  });
  const budget = plenty();
  const { partitions } = await readPartitionTable(memorySource(name, readFileSync(path)), budget);
  const volumes: Volume[] = [];
  for (const partition of partitions)
    volumes.push({ partition, filesystem: await openFilesystem(partition.source, budget) });
  return await chooseBoot(volumes, budget);
}

const root: Tree = {
  'boot/grub/grub.cfg': readFileSync(join(import.meta.dirname, 'configurations', 'debian.cfg')),
  'boot/grub/grubenv': '# GRUB Environment Block\n'.padEnd(1024, '#'),
  'boot/vmlinuz-6.12.48+deb13-amd64': { link: '../usr/lib/modules/6.12.48+deb13-amd64/vmlinuz' },
  'usr/lib/modules/6.12.48+deb13-amd64/vmlinuz': 'kernel 6.12',
  'boot/initrd.img-6.12.48+deb13-amd64': 'initrd 6.12',
  'boot/vmlinuz-6.1.0-50-amd64': 'kernel 6.1',
  'boot/initrd.img-6.1.0-50-amd64': 'initrd 6.1',
};

describe('a disk made by the real tools', () => {
  test("boots as Debian's GRUB says, from its ESP on", needs('lookalike-grub-efi'), async () => {
    const grub = program('lookalike-grub-efi');
    const stub = `search.fs_uuid ${ROOT_UUID} root hd0,gpt2\nset prefix=($root)'/boot/grub'\nconfigfile $prefix/grub.cfg\n`;
    const esp: Tree = {
      'EFI/BOOT/BOOTX64.EFI': shimProgram(),
      'EFI/BOOT/grubx64.efi': grub,
      'EFI/debian/shimx64.efi': shimProgram(),
      'EFI/debian/grubx64.efi': grub,
      'EFI/debian/grub.cfg': stub,
    };
    const choice = await chooseFrom('grub.raw', esp, root);
    assert.deepEqual(
      choice.doubts.filter((doubt) => !doubt.includes('bootmgfw')),
      [],
    );
    const entry = choice.entries[choice.preferred ?? -1];
    assert.equal(entry?.kernel.name, 'partition 2 (ext4) /usr/lib/modules/6.12.48+deb13-amd64/vmlinuz');
    assert.equal(Buffer.from(await entry.kernel.source.read(0, 11)).toString(), 'kernel 6.12');
    assert.deepEqual(
      entry.initrds.map((file) => file.name),
      ['partition 2 (ext4) /boot/initrd.img-6.12.48+deb13-amd64'],
    );
    // The ESP's stub was read: it is how UEFI gets there.
    assert.ok(choice.configuration.some((file) => file.name === 'partition 1 (FAT32) /EFI/debian/grub.cfg'));
  });

  test('boots as systemd-boot says', needs('systemd-boot-efi'), async () => {
    const loader = program('systemd-boot-efi', 'systemd-bootx64.efi');
    const esp: Tree = {
      'EFI/BOOT/BOOTX64.EFI': loader,
      'EFI/systemd/systemd-bootx64.efi': loader,
      'loader/loader.conf': 'timeout 3\ndefault 0f1e*\n',
      'loader/entries/0f1e-6.12.conf': 'title A\nversion 6.12\noptions quiet\nlinux /0f1e/6.12/linux\n',
      'loader/entries/0f1e-6.9.conf': 'title B\nversion 6.9\noptions quiet\nlinux /0f1e/6.9/linux\n',
      '0f1e/6.12/linux': 'kernel 6.12',
      '0f1e/6.9/linux': 'kernel 6.9',
    };
    const choice = await chooseFrom('systemd.raw', esp, { 'etc/hostname': 'x' });
    assert.equal(choice.entries[choice.preferred ?? -1]?.kernel.name, 'partition 1 (FAT32) /0f1e/6.12/linux');
    assert.deepEqual(choice.doubts, []);
  });
});
