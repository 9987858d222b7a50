/** Configurations in the manner of distributions' tools: which entry boots, and with what. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { BootChoice, BootEntry } from '../../src/boot-set/boot-choice.ts';
import { chooseBoot } from '../../src/boot-set/choose-boot.ts';
import { type Files, plenty, volume } from './memory-volume.ts';
import { grubProgram, otherProgram, shimProgram } from './programs.ts';

function configuration(name: string): string {
  return readFileSync(join(import.meta.dirname, 'configurations', `${name}.cfg`), 'utf8');
}

function block(variables: Readonly<Record<string, string>>): string {
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
  return `# GRUB Environment Block\n${lines.join('')}`.padEnd(1024, '#');
}

function preferred(choice: BootChoice): BootEntry {
  assert.ok(choice.preferred !== undefined, `no preferred entry: ${choice.doubts.join('\n')}`);
  const entry = choice.entries[choice.preferred];
  assert.ok(entry !== undefined);
  return entry;
}

const releases = (names: readonly string[], folder: string): Files =>
  Object.fromEntries(
    names.flatMap((name) => [
      [`${folder}vmlinuz-${name}`, `kernel ${name}`],
      [`${folder}initrd.img-${name}`, `initrd ${name}`],
      [`${folder}initrd-${name}`, `initrd ${name}`],
      [`${folder}initramfs-${name}.img`, `initrd ${name}`],
    ]),
  );

const esp = (files: Files): ReturnType<typeof volume> =>
  volume({ kind: 'FAT32', uuid: '1234-ABCD', partition: 1, files });

const ubuntuBoot = (env: Readonly<Record<string, string>> | undefined, more: Files = {}): ReturnType<typeof volume> =>
  volume({
    uuid: '5b000000-0000-4000-8000-000000000002',
    partition: 2,
    files: {
      'grub/grub.cfg': configuration('ubuntu'),
      ...(env === undefined ? {} : { 'grub/grubenv': block(env) }),
      ...releases(['6.8.0-45-generic', '6.8.0-31-generic'], ''),
      ...more,
    },
  });

const rhelEntry = (release: string, more = ''): string =>
  `title Red Hat Enterprise Linux (${release}) 9.4 (Plow)\nversion ${release}\nlinux /vmlinuz-${release}\n` +
  `initrd /initramfs-${release}.img $tuned_initrd\noptions root=UUID=1d000000-0000-4000-8000-000000000004 ro ${more}$tuned_params\n` +
  'grub_users $grub_users\ngrub_arg --unrestricted\ngrub_class rhel\n';

const suseBoot = (env: Readonly<Record<string, string>>): ReturnType<typeof volume> =>
  volume({
    uuid: '5e000000-0000-4000-8000-000000000002',
    partition: 2,
    files: {
      'boot/grub2/grub.cfg': configuration('suse'),
      'boot/grub2/grubenv': block(env),
      'boot/vmlinuz-6.4.0-150600.23-default': { link: '../usr/lib/modules/6.4.0-150600.23-default/vmlinuz' },
      'boot/vmlinuz-6.4.0-150600.21-default': { link: '/usr/lib/modules/6.4.0-150600.21-default/vmlinuz' },
      'usr/lib/modules/6.4.0-150600.23-default/vmlinuz': 'kernel 23',
      'usr/lib/modules/6.4.0-150600.21-default/vmlinuz': 'kernel 21',
      'boot/initrd-6.4.0-150600.23-default': 'initrd',
      'boot/initrd-6.4.0-150600.21-default': 'initrd',
    },
  });

describe("Debian's configuration", () => {
  const uuid = '0fc63daf-0000-4000-8000-00000000000a';
  const shimAndGrub: Files = {
    'EFI/BOOT/BOOTX64.EFI': shimProgram(),
    'EFI/BOOT/grubx64.efi': grubProgram('/EFI/debian'),
    'EFI/debian/shimx64.efi': shimProgram(),
    'EFI/debian/grubx64.efi': grubProgram('/EFI/debian'),
    'EFI/debian/grub.cfg': `search.fs_uuid ${uuid} root\nset prefix=($root)'/boot/grub'\nconfigfile $prefix/grub.cfg\n`,
  };
  const root = (more: Files = {}): ReturnType<typeof volume> =>
    volume({
      uuid,
      partition: 2,
      files: {
        'boot/grub/grub.cfg': configuration('debian'),
        ...releases(['6.12.48+deb13-amd64', '6.1.0-50-amd64'], 'boot/'),
        ...more,
      },
    });

  test('boots its first entry, by BIOS and by UEFI alike', async () => {
    const choice = await chooseBoot([esp(shimAndGrub), root()], plenty());
    const entry = preferred(choice);
    assert.equal(entry.kernel.name, 'partition 2 (ext4) /boot/vmlinuz-6.12.48+deb13-amd64');
    assert.deepEqual(
      entry.initrds.map((file) => file.name),
      ['partition 2 (ext4) /boot/initrd.img-6.12.48+deb13-amd64'],
    );
    assert.equal(entry.commandLine, `BOOT_IMAGE=/boot/vmlinuz-6.12.48+deb13-amd64 root=UUID=${uuid} ro quiet`);
    assert.equal(entry.title, 'Debian GNU/Linux');
    assert.equal(entry.loader, 'grub');
  });

  test('offers all entries that differ, those of the second menu too', async () => {
    const { entries } = await chooseBoot([root()], plenty(), { firmware: 'bios' });
    assert.deepEqual(
      entries.map((entry) => entry.title),
      [
        'Debian GNU/Linux',
        'Debian GNU/Linux, with Linux 6.12.48+deb13-amd64 (recovery mode)',
        'Debian GNU/Linux, with Linux 6.1.0-50-amd64',
      ],
    );
    assert.match(entries[1]?.commandLine ?? '', / ro single$/);
  });

  test('names the files that decided', async () => {
    const { configuration: files } = await chooseBoot(
      [esp(shimAndGrub), root({ 'boot/grub/grubenv': block({}) })],
      plenty(),
    );
    assert.deepEqual(files.map((file) => file.name).sort(), [
      'partition 1 (FAT32) /EFI/debian/grub.cfg',
      'partition 2 (ext4) /boot/grub/grub.cfg',
      'partition 2 (ext4) /boot/grub/grubenv',
    ]);
  });

  for (const [what, value] of [
    ['a title path', 'Advanced options for Debian GNU/Linux>Debian GNU/Linux, with Linux 6.1.0-50-amd64'],
    ['an id path', `gnulinux-advanced-${uuid}>gnulinux-6.1.0-50-amd64-advanced-${uuid}`],
    ['numbers', '1>2'],
  ] as const)
    test(`an entry chosen for the next start by ${what} is the one`, async () => {
      const choice = await chooseBoot([root({ 'boot/grub/grubenv': block({ next_entry: value }) })], plenty());
      assert.equal(preferred(choice).kernel.name, 'partition 2 (ext4) /boot/vmlinuz-6.1.0-50-amd64');
    });

  test('a default that names nothing is the first entry', async () => {
    const choice = await chooseBoot([root({ 'boot/grub/grubenv': block({ next_entry: 'gone' }) })], plenty());
    assert.equal(preferred(choice).title, 'Debian GNU/Linux');
  });

  test('a submenu as the default starts its first entry', async () => {
    const choice = await chooseBoot([root({ 'boot/grub/grubenv': block({ next_entry: '1' }) })], plenty());
    assert.equal(preferred(choice).kernel.name, 'partition 2 (ext4) /boot/vmlinuz-6.12.48+deb13-amd64');
  });

  test('custom.cfg has its say', async () => {
    const custom = 'menuentry "mine" { linux /boot/vmlinuz-6.1.0-50-amd64 nopv; }\nset default=mine\n';
    const choice = await chooseBoot([root({ 'boot/grub/custom.cfg': custom })], plenty());
    assert.equal(preferred(choice).commandLine, 'BOOT_IMAGE=/boot/vmlinuz-6.1.0-50-amd64 nopv');
  });

  test('a kernel that is gone leaves nothing that starts by itself', async () => {
    const files = root({}).filesystem;
    assert.ok(files);
    const choice = await chooseBoot(
      [
        volume({
          uuid,
          partition: 2,
          files: { 'boot/grub/grub.cfg': configuration('debian'), ...releases(['6.1.0-50-amd64'], 'boot/') },
        }),
      ],
      plenty(),
    );
    assert.equal(choice.preferred, undefined);
    assert.equal(choice.entries.length, 1);
    assert.match(choice.doubts.join('\n'), /6\.12\.48\+deb13-amd64 is not there/);
    assert.match(choice.doubts.join('\n'), /boots nothing that is there/);
  });

  test('Windows as the default is an entry that is no Linux', async () => {
    const windows = esp({ ...shimAndGrub, 'EFI/Microsoft/Boot/bootmgfw.efi': otherProgram('Windows') });
    const env = { 'boot/grub/grubenv': block({ next_entry: 'osprober-efi-1234-ABCD' }) };
    const choice = await chooseBoot([windows, root(env)], plenty(), { firmware: 'uefi' });
    assert.equal(preferred(choice).kernel.name, 'partition 1 (FAT32) /EFI/Microsoft/Boot/bootmgfw.efi');
  });

  test("a vendor's program that leads elsewhere is a doubt", async () => {
    const windows = esp({ ...shimAndGrub, 'EFI/Microsoft/Boot/bootmgfw.efi': otherProgram('Windows') });
    const choice = await chooseBoot([windows, root()], plenty(), { firmware: 'uefi' });
    assert.equal(choice.preferred, undefined);
    assert.match(choice.doubts.join('\n'), /which program the firmware starts/);
  });
});

describe("Ubuntu's configuration", () => {
  test('boots the first entry while none is saved', async () => {
    const choice = await chooseBoot([ubuntuBoot(undefined)], plenty());
    assert.equal(
      preferred(choice).commandLine,
      'BOOT_IMAGE=/vmlinuz-6.8.0-45-generic root=UUID=5b000000-0000-4000-8000-000000000001 ro quiet splash vt.handoff=7',
    );
  });

  test('boots the saved entry, kept in grubenv by its path', async () => {
    const saved = 'Advanced options for Ubuntu>Ubuntu, with Linux 6.8.0-31-generic';
    const choice = await chooseBoot([ubuntuBoot({ saved_entry: saved })], plenty());
    assert.equal(preferred(choice).kernel.name, 'partition 2 (ext4) /vmlinuz-6.8.0-31-generic');
  });

  test('words that depend on the machine are a doubt, and each of them counts', async () => {
    const choice = await chooseBoot([ubuntuBoot({}, { 'grub/gfxblacklist.txt': 'v1002d*' })], plenty(), {
      firmware: 'bios',
    });
    assert.equal(choice.preferred, undefined);
    assert.match(choice.doubts.join('\n'), /hwmatch/);
    const lines = new Set(choice.entries.map((entry) => entry.commandLine?.includes('vt.handoff')));
    assert.deepEqual(lines, new Set([true, false]));
    assert.ok(choice.entries.some((entry) => entry.kernel.name.endsWith('6.8.0-45-generic')));
  });

  test('where the machine makes no difference there is no doubt', async () => {
    const choice = await chooseBoot([ubuntuBoot({ recordfail: '1' }, { 'grub/gfxblacklist.txt': '' })], plenty());
    assert.match(preferred(choice).commandLine ?? '', /quiet splash$/);
  });
});

describe("RHEL's configuration", () => {
  const machine = '2f3a0c0ffee04b1aa3b1c6d5e4f30211';
  const newest = '5.14.0-427.13.1.el9_4.x86_64';
  const older = '5.14.0-362.8.1.el9_3.x86_64';
  const boot = (files: Files): ReturnType<typeof volume> =>
    volume({
      kind: 'XFS',
      uuid: '1d000000-0000-4000-8000-000000000003',
      partition: 3,
      files: { 'grub2/grub.cfg': configuration('rhel'), ...releases([newest, older], ''), ...files },
    });
  const entries: Files = {
    [`loader/entries/${machine}-${older}.conf`]: rhelEntry(older),
    [`loader/entries/${machine}-${newest}.conf`]: rhelEntry(newest, 'console=ttyS0 '),
    [`loader/entries/${machine}-0-rescue.conf`]: rhelEntry('0-rescue'),
  };

  test('boots the newest entry while none is saved', async () => {
    const choice = await chooseBoot([boot(entries)], plenty());
    const first = preferred(choice);
    assert.equal(first.loader, 'bls');
    assert.equal(first.kernel.name, `partition 3 (XFS) /vmlinuz-${newest}`);
    assert.equal(
      first.commandLine,
      `BOOT_IMAGE=(hd0,gpt3)/vmlinuz-${newest} root=UUID=1d000000-0000-4000-8000-000000000004 ro console=ttyS0`,
    );
    assert.deepEqual(
      first.initrds.map((file) => file.name),
      [`partition 3 (XFS) /initramfs-${newest}.img`],
    );
    assert.deepEqual(
      choice.entries.map((each) => each.kernel.name.split('/').at(-1)),
      [`vmlinuz-${newest}`, `vmlinuz-${older}`],
    );
  });

  test('boots the saved entry, whose name begins with digits', async () => {
    const choice = await chooseBoot(
      [boot({ ...entries, 'grub2/grubenv': block({ saved_entry: `${machine}-${older}` }) })],
      plenty(),
    );
    assert.equal(preferred(choice).kernel.name, `partition 3 (XFS) /vmlinuz-${older}`);
  });

  test('options may be in the environment block, as RHEL 8 has them', async () => {
    const text = `title RHEL 8\nlinux /vmlinuz-${newest}\ninitrd /initramfs-${newest}.img\noptions $kernelopts $tuned_params\n`;
    const choice = await chooseBoot(
      [
        boot({
          [`loader/entries/${machine}-${newest}.conf`]: text,
          'grub2/grubenv': block({ kernelopts: 'root=/dev/mapper/rhel-root ro mem_encrypt=off' }),
        }),
      ],
      plenty(),
    );
    assert.match(preferred(choice).commandLine ?? '', /vmlinuz-\S+ root=\/dev\/mapper\/rhel-root ro mem_encrypt=off$/);
  });

  test('entries may be below /boot', async () => {
    const choice = await chooseBoot(
      [
        volume({
          uuid: '1d000000-0000-4000-8000-000000000003',
          partition: 3,
          files: {
            'boot/grub2/grub.cfg': configuration('rhel'),
            ...releases([newest], 'boot/'),
            [`boot/loader/entries/${machine}-${newest}.conf`]: rhelEntry(newest).replaceAll(' /', ' /boot/'),
          },
        }),
      ],
      plenty(),
    );
    assert.equal(preferred(choice).kernel.name, `partition 3 (ext4) /boot/vmlinuz-${newest}`);
  });

  test('a boot that failed too often goes back', async () => {
    const choice = await chooseBoot(
      [boot({ ...entries, 'grub2/grubenv': block({ boot_counter: '0', boot_success: '0' }) })],
      plenty(),
    );
    assert.equal(preferred(choice).kernel.name, `partition 3 (XFS) /vmlinuz-${older}`);
  });

  test('unified kernels that some GRUBs list are a doubt', async () => {
    const esp = volume({ kind: 'FAT32', partition: 1, files: { 'EFI/Linux/linux.efi': otherProgram('unified') } });
    const choice = await chooseBoot([esp, boot(entries)], plenty());
    assert.equal(choice.preferred, undefined);
    assert.match(choice.doubts.join('\n'), /unified kernels/);
  });
});

describe("SUSE's configuration", () => {
  test('links lead to the kernel beside its modules', async () => {
    const choice = await chooseBoot([suseBoot({})], plenty());
    assert.equal(preferred(choice).kernel.name, 'partition 2 (ext4) /usr/lib/modules/6.4.0-150600.23-default/vmlinuz');
    assert.equal(
      preferred(choice).commandLine,
      'BOOT_IMAGE=/boot/vmlinuz-6.4.0-150600.23-default root=UUID=5e000000-0000-4000-8000-000000000002 splash=silent quiet security=apparmor',
    );
  });

  test('the saved entry is found by its titles', async () => {
    const saved = 'Advanced options for openSUSE Leap 15.6>openSUSE Leap 15.6, with Linux 6.4.0-150600.21-default';
    const choice = await chooseBoot([suseBoot({ saved_entry: saved })], plenty());
    assert.equal(preferred(choice).kernel.name, 'partition 2 (ext4) /usr/lib/modules/6.4.0-150600.21-default/vmlinuz');
  });
});
