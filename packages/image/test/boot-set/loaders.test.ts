/** systemd-boot, unified kernels, shim, kernels that firmware starts, extlinux, and disks without any loader. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { BootChoice } from '../../src/boot-set/boot-choice.ts';
import { chooseBoot } from '../../src/boot-set/choose-boot.ts';
import { unifiedKernel } from '../image-set/pe.ts';
import { bzImage } from '../synthetic/bz-image.ts';
import { type Files, plenty, volume } from './memory-volume.ts';
import { bootCsv, grubProgram, otherProgram, shimHelper, shimProgram, systemdBootProgram } from './programs.ts';

function esp(files: Files): ReturnType<typeof volume> {
  return volume({ kind: 'FAT32', uuid: '1234-ABCD', partition: 1, files });
}

async function choose(...volumes: ReturnType<typeof volume>[]): Promise<BootChoice> {
  return await chooseBoot(volumes, plenty());
}

function preferredName(choice: BootChoice): string {
  assert.ok(choice.preferred !== undefined, `no preferred entry: ${choice.doubts.join('\n')}`);
  return choice.entries[choice.preferred]?.kernel.name.split('/').slice(1).join('/') ?? '';
}

function type1(release: string, more = ''): string {
  return `title Debian\nversion ${release}\nmachine-id 0123\nsort-key debian\noptions root=/dev/vda2 ro\noptions ${release}\nlinux /k/${release}\ninitrd /k/${release}.img\n${more}`;
}

const kernels: Files = Object.fromEntries(
  ['6.9.1', '6.12.1', '6.1.9'].flatMap((release) => [
    [`k/${release}`, `kernel ${release}`],
    [`k/${release}.img`, `initrd ${release}`],
  ]),
);

const bootDisk = (files: Files): ReturnType<typeof volume> =>
  esp({
    'EFI/BOOT/BOOTX64.EFI': systemdBootProgram(),
    'EFI/systemd/systemd-bootx64.efi': systemdBootProgram(),
    ...kernels,
    ...files,
  });

const labels = (head: string): string =>
  `${head}\nlabel a\n  menu label Linux ^A\n  linux ../k-a\n  initrd ../i-a\n  append root=/dev/vda1 ro\nlabel b\n  kernel /boot/k-b\n  append initrd=/boot/i-b quiet\n`;

const extlinuxDisk = (text: string, more: Files = {}): ReturnType<typeof volume> =>
  volume({
    partition: 1,
    type: '0x83',
    files: {
      'boot/extlinux/extlinux.conf': text,
      'boot/k-a': 'a',
      'boot/i-a': 'i',
      'boot/k-b': 'b',
      'boot/i-b': 'i',
      ...more,
    },
  });

const kernelOf = (fill: string): string => fill.repeat(5000);

describe('systemd-boot', () => {
  const entries: Files = {
    'loader/entries/debian-6.9.1.conf': type1('6.9.1'),
    'loader/entries/debian-6.12.1.conf': type1('6.12.1'),
    'loader/entries/debian-6.1.9.conf': type1('6.1.9'),
  };

  test('starts the newest, with its options in their order', async () => {
    const choice = await choose(bootDisk(entries));
    assert.equal(preferredName(choice), 'k/6.12.1');
    assert.equal(choice.entries[0]?.commandLine, 'root=/dev/vda2 ro 6.12.1');
    assert.equal(choice.entries[0]?.initrds.length, 1);
    assert.equal(choice.entries[0]?.loader, 'systemd-boot');
    assert.deepEqual(
      choice.entries.map((entry) => entry.kernel.name.split('/').at(-1)),
      ['6.12.1', '6.9.1', '6.1.9'],
    );
  });

  test('starts what the default matches first', async () => {
    const choice = await choose(bootDisk({ ...entries, 'loader/loader.conf': 'timeout 3\ndefault debian-6.?.*\n' }));
    assert.equal(preferredName(choice), 'k/6.9.1');
  });

  test('a default that is kept in EFI variables is a doubt, with its file', async () => {
    const choice = await choose(bootDisk({ ...entries, 'loader/loader.conf': 'default @saved\n' }));
    assert.equal(choice.preferred, undefined);
    assert.equal(choice.entries.length, 3);
    assert.match(choice.doubts.join('\n'), /loader\.conf.*@saved/);
  });

  test('an entry whose starts are used up comes last; a counter is no part of its name', async () => {
    const choice = await choose(
      bootDisk({
        'loader/entries/debian-6.12.1+0-3.conf': type1('6.12.1'),
        'loader/entries/debian-6.9.1+2-1.conf': type1('6.9.1'),
        'loader/loader.conf': 'default nothing\n',
      }),
    );
    assert.equal(preferredName(choice), 'k/6.9.1');
    const named = await choose(
      bootDisk({
        'loader/entries/debian-6.12.1+0-3.conf': type1('6.12.1'),
        'loader/entries/debian-6.9.1+2-1.conf': type1('6.9.1'),
        'loader/loader.conf': 'default debian-6.12.1.conf\n',
      }),
    );
    assert.equal(preferredName(named), 'k/6.12.1');
  });

  test('an entry without a kernel is left out', async () => {
    const choice = await choose(bootDisk({ ...entries, 'loader/entries/debian-9.conf': type1('9') }));
    assert.equal(preferredName(choice), 'k/6.12.1');
    assert.match(choice.doubts.join('\n'), /debian-9\.conf: \/k\/9 is not there/);
  });

  test('an entry for another processor is left out', async () => {
    const choice = await choose(
      bootDisk({
        'loader/entries/debian-6.12.1.conf': type1('6.12.1', 'architecture aa64\n'),
        'loader/entries/debian-6.9.1.conf': type1('6.9.1'),
      }),
    );
    assert.equal(preferredName(choice), 'k/6.9.1');
  });

  test('finds entries on the extended boot partition', async () => {
    const extended = volume({
      partition: 2,
      type: 'bc13c2ff-59e6-4262-a352-b275fd6f7172',
      files: { ...kernels, 'loader/entries/debian-6.1.9.conf': type1('6.1.9') },
    });
    const choice = await choose(bootDisk({}), extended);
    assert.equal(preferredName(choice), 'k/6.1.9');
    assert.match(choice.entries[0]?.kernel.name ?? '', /^partition 2/);
  });

  test('a unified kernel is an entry, its command line its own', async () => {
    const uki = unifiedKernel('6.12.1', Buffer.from('linux'), Buffer.from('initrd'), 'quiet');
    const choice = await choose(bootDisk({ 'EFI/Linux/debian-6.12.1.efi': uki }));
    assert.equal(preferredName(choice), 'EFI/Linux/debian-6.12.1.efi');
    assert.equal(choice.entries[0]?.title, 'A Linux of the set');
    assert.equal(choice.entries[0]?.commandLine, undefined);
  });

  test('an addon that adds to the command line is a doubt', async () => {
    const uki = unifiedKernel('6.12.1', Buffer.from('linux'), Buffer.from('initrd'), 'quiet');
    const choice = await choose(bootDisk({ 'EFI/Linux/d.efi': uki, 'EFI/Linux/d.efi.extra.d/debug.addon.efi': 'x' }));
    assert.equal(choice.preferred, undefined);
    assert.match(choice.doubts.join('\n'), /debug\.addon\.efi/);
  });
});

describe('firmware', () => {
  const uki = unifiedKernel('6.12.1', Buffer.from('linux'), Buffer.from('initrd'), 'quiet');

  test('starts a unified kernel in the place for removable media', async () => {
    const choice = await choose(esp({ 'EFI/BOOT/BOOTX64.EFI': uki }));
    assert.equal(preferredName(choice), 'EFI/BOOT/BOOTX64.EFI');
    assert.equal(choice.entries[0]?.loader, 'uki');
  });

  test('starts a kernel with an EFI stub, without any words', async () => {
    const kernel = Buffer.concat([Buffer.from(bzImage(Buffer.from('payload'))), Buffer.alloc(4096)]);
    const pe = 0x80;
    kernel.write('MZ', 0, 'latin1');
    kernel.writeUInt32LE(pe, 0x3c);
    kernel.write('PE\0\0', pe, 'latin1');
    kernel.writeUInt16LE(0x8664, pe + 4);
    const choice = await choose(esp({ 'EFI/BOOT/BOOTX64.EFI': kernel }));
    assert.equal(preferredName(choice), 'EFI/BOOT/BOOTX64.EFI');
    assert.equal(choice.entries[0]?.loader, 'direct');
    assert.equal(choice.entries[0]?.commandLine, undefined);
  });

  test('starts the only unified kernel there is', async () => {
    assert.equal(preferredName(await choose(esp({ 'EFI/Linux/one.efi': uki }))), 'EFI/Linux/one.efi');
    const other = unifiedKernel('6.9.1', Buffer.from('linux'), Buffer.from('initrd'), 'quiet');
    const choice = await choose(esp({ 'EFI/Linux/one.efi': uki, 'EFI/Linux/two.efi': other }));
    assert.equal(choice.preferred, undefined);
    assert.equal(choice.entries.length, 2);
  });

  test("shim's helper starts what BOOTX64.CSV names, a unified kernel too", async () => {
    const choice = await choose(
      esp({
        'EFI/BOOT/BOOTX64.EFI': shimProgram(),
        'EFI/BOOT/fbx64.efi': shimHelper(),
        'EFI/redhat/shimx64.efi': shimProgram(),
        'EFI/redhat/BOOTX64.CSV': bootCsv('shimx64.efi,redhat,\\EFI\\Linux\\rhel.efi ,UKI'),
        'EFI/Linux/rhel.efi': uki,
      }),
    );
    assert.equal(preferredName(choice), 'EFI/Linux/rhel.efi');
  });

  test('a program that is not understood is an entry by itself', async () => {
    const choice = await choose(esp({ 'EFI/BOOT/BOOTX64.EFI': otherProgram('Windows') }));
    assert.equal(preferredName(choice), 'EFI/BOOT/BOOTX64.EFI');
    assert.equal(choice.entries[0]?.loader, 'none-found');
  });

  test('GRUB without a configuration leaves every kernel in its usual place', async () => {
    const choice = await choose(
      esp({ 'EFI/BOOT/BOOTX64.EFI': grubProgram('/EFI/gone') }),
      volume({ partition: 2, files: { 'boot/vmlinuz-6.1': 'k'.repeat(5000) } }),
    );
    assert.equal(choice.preferred, undefined);
    assert.equal(choice.entries.length, 1);
    assert.match(choice.doubts.join('\n'), /finds no grub\.cfg/);
  });

  test("GRUB's own script finds its configuration", async () => {
    const choice = await choose(
      esp({
        'EFI/BOOT/BOOTX64.EFI': grubProgram(
          '(,gpt9)/gone',
          "search.fs_uuid abcd root hd0,gpt2 \nset prefix=($root)'/boot/grub'\n",
        ),
      }),
      volume({
        partition: 2,
        uuid: 'abcd',
        files: { 'boot/grub/grub.cfg': 'set timeout=0\nmenuentry a { linux /boot/k x; }\n', 'boot/k': 'kernel' },
      }),
    );
    assert.equal(preferredName(choice), 'boot/k');
  });

  test('BIOS and UEFI that lead to different kernels are a doubt, and both count', async () => {
    const choice = await choose(
      esp({ 'EFI/BOOT/BOOTX64.EFI': uki }),
      volume({
        partition: 2,
        files: { 'boot/grub/grub.cfg': 'set timeout=0\nmenuentry a { linux /boot/k x; }\n', 'boot/k': 'kernel' },
      }),
    );
    assert.equal(choice.preferred, undefined);
    assert.equal(choice.entries.length, 2);
    assert.match(choice.doubts.join('\n'), /whether BIOS or UEFI/);
  });
});

describe('extlinux', () => {
  test('starts its default', async () => {
    const choice = await choose(extlinuxDisk(labels('default a\nprompt 0\ntimeout 50')));
    assert.equal(preferredName(choice), 'boot/k-a');
    assert.equal(choice.entries[0]?.title, 'Linux A');
    assert.equal(choice.entries[0]?.commandLine, 'BOOT_IMAGE=../k-a root=/dev/vda1 ro initrd=../i-a');
    assert.equal(choice.entries[0]?.initrds.length, 1);
    assert.equal(choice.entries[1]?.initrds.length, 1);
  });

  test('a menu starts what it marks, after its timeout', async () => {
    const text = `${labels('ui vesamenu.c32\ntimeout 50')}  menu default\n`;
    assert.equal(preferredName(await choose(extlinuxDisk(text))), 'boot/k-b');
    const waits = await choose(extlinuxDisk(labels('ui menu.c32')));
    assert.equal(waits.preferred, undefined);
    assert.match(waits.doubts.join('\n'), /waits/);
  });

  test('what is included counts, and files that include each other end', async () => {
    const choice = await choose(
      extlinuxDisk('include more.conf\ndefault c\n', {
        'boot/extlinux/more.conf': 'include extlinux.conf\nlabel c\nlinux /boot/k-b\nappend nopv\n',
      }),
    );
    assert.equal(preferredName(choice), 'boot/k-b');
    assert.equal(choice.configuration.length, 2);
  });

  test('a default that is a command line starts that', async () => {
    const choice = await choose(extlinuxDisk('default /boot/k-a nopv\n'));
    assert.equal(choice.entries[choice.preferred ?? -1]?.commandLine, 'BOOT_IMAGE=/boot/k-a nopv');
  });
});

describe('a disk without a loader that is understood', () => {
  test('offers every kernel where distributions put them, each once', async () => {
    const choice = await choose(
      volume({
        partition: 1,
        files: {
          'usr/lib/modules/7.2.13-amd64/vmlinuz': kernelOf('7'),
          lib: { link: 'usr/lib' },
          'boot/vmlinuz-6.12': kernelOf('6'),
          'boot/vmlinuz-copy': kernelOf('7'),
          vmlinuz: { link: 'usr/lib/modules/7.2.13-amd64/vmlinuz' },
          'boot/.vmlinuz-6.12.hmac': 'ab',
        },
      }),
    );
    assert.deepEqual(
      choice.entries.map((entry) => entry.title),
      ['partition 1 (ext4) /boot/vmlinuz-6.12', 'partition 1 (ext4) /boot/vmlinuz-copy'],
    );
    assert.equal(choice.preferred, undefined);
    assert.ok(choice.entries.every((entry) => entry.loader === 'none-found'));
    assert.match(choice.doubts.join('\n'), /no loader configuration/);
  });

  test('a kernel on the ESP counts', async () => {
    const choice = await choose(esp({ 'flatcar/vmlinuz-a': kernelOf('a'), 'syslinux/vmlinuz.A': kernelOf('b') }));
    assert.equal(choice.entries.length, 2);
  });

  test('nothing at all says so', async () => {
    const choice = await choose(volume({ files: {} }));
    assert.deepEqual([choice.entries, choice.preferred], [[], undefined]);
    assert.match(choice.doubts.join('\n'), /no kernel was found/);
  });
});
