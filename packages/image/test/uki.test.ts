import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { extractKernel, FormatError } from '../src/index.ts';
import { readUki } from '../src/kernel/uki/uki.ts';
import type { ByteSource } from '../src/source/byte-source.ts';
import { memorySource } from '../src/source/memory-source.ts';
import { assetPath, needsAsset } from './assets.ts';
import { EXPECTED_KERNELS } from './image-set/expected.ts';
import { efiProgram, type Sections } from './image-set/pe.ts';

const COMMAND_LINE = 'root=/dev/vda2 ro console=ttyS0';
const OS_RELEASE = 'ID=debian\nVERSION_ID=13\n';

describe('a unified kernel image', () => {
  test("made of systemd's stub and a kernel by objcopy gives back its parts", needsAll(), async () => {
    const kernel = readFileSync(assetPath('kernel-6.12-cloud') ?? '');
    const initrd = Buffer.from('070701 an initrd\n'.repeat(999));
    const image = unified({
      '.osrel': OS_RELEASE,
      '.uname': '6.12.0-made-up',
      '.cmdline': `${COMMAND_LINE}\n`,
      '.initrd': initrd,
      '.linux': kernel,
    });
    const uki = await readUki(memorySource('debian.efi', image));
    assert.ok(uki);
    const [profile, ...others] = uki.profiles;
    assert.deepEqual(others, []);
    assert.equal(profile.commandLine, COMMAND_LINE);
    assert.equal(profile.osRelease, OS_RELEASE);
    assert.equal(profile.claimedRelease, '6.12.0-made-up');
    assert.match(uki.sbat ?? '', /^sbat,1,/);
    assert.ok(initrd.equals(await all(profile.initrds[0])));
    const inside = await all(profile.kernel);
    assert.ok(kernel.equals(inside));
    assert.match(extractKernel(inside).banner.release, /^6\.12\./);
    assert.equal(profile.kernel.name, 'debian.efi section .linux');
  });

  test('says nothing of what it has no section for', async () => {
    const { profiles } = (await open([['.linux', 'a kernel']])) ?? assert.fail();
    const [{ commandLine, initrds, osRelease, claimedRelease, description }] = profiles;
    assert.deepEqual([commandLine, osRelease, claimedRelease, description], Array(4).fill(undefined));
    assert.deepEqual(initrds, []);
  });

  test('passes its command line on as the stub does: without what follows a NUL, controls as spaces', async () => {
    assert.equal(await lineOf(' \tquiet\nnopv\t\n\0more'), 'quiet nopv');
    assert.equal(await lineOf('\n'), '');
    assert.equal(await lineOf('\0'), '');
  });

  test('passes microcode on before its initrd', async () => {
    const uki = await open([
      ['.initrd', 'second'],
      ['.linux', 'kernel'],
      ['.ucode', 'first'],
    ]);
    const [first, second] = uki?.profiles[0].initrds ?? [];
    assert.deepEqual([String(await all(first)), String(await all(second))], ['first', 'second']);
  });

  test('may have profiles: each has its own sections, and the common ones for the rest', async () => {
    const uki = await open([
      ['.cmdline', 'common'],
      ['.linux', 'kernel'],
      ['.initrd', 'initrd'],
      ['.profile', 'ID=main\n'],
      ['.profile', 'ID=rescue\nTITLE=Rescue\n'],
      ['.cmdline', 'rescue nopv'],
      ['.profile', 'ID=other\n'],
      ['.linux', 'another'],
    ]);
    const found = uki?.profiles.map(async ({ description, commandLine, kernel, initrds }) => [
      description?.split('\n')[0],
      commandLine,
      String(await all(kernel)),
      initrds.length,
    ]);
    assert.deepEqual(await Promise.all(found ?? []), [
      ['ID=main', 'common', 'kernel', 1],
      ['ID=rescue', 'rescue nopv', 'kernel', 1],
      ['ID=other', 'common', 'another', 1],
    ]);
  });

  test('is read without its kernel and its initrd', async () => {
    const bytes = efiProgram([
      ['.linux', Buffer.alloc(2 ** 20, 1)],
      ['.initrd', Buffer.alloc(2 ** 20, 2)],
      ['.cmdline', COMMAND_LINE],
    ]);
    let read = 0;
    const counted: ByteSource = {
      name: 'counted.efi',
      size: bytes.length,
      read: async (offset, length) => {
        read += length;
        return bytes.subarray(offset, offset + length);
      },
    };
    assert.equal((await readUki(counted))?.profiles[0].commandLine, COMMAND_LINE);
    assert.ok(read < 128 * 1024, `${read} bytes were read`);
  });
});

describe('what is no unified kernel image', () => {
  for (const { id } of EXPECTED_KERNELS)
    test(`${id}: a bzImage, which is an EFI program as well`, needsAsset(id), async () => {
      const bytes = readFileSync(assetPath(id) ?? '');
      assert.equal(await readUki(memorySource(id, bytes)), undefined);
    });

  for (const id of ['systemd-boot-efi', 'lookalike-grub-efi', 'lookalike-memtest'])
    test(`${id}: an EFI program without a kernel`, needsAsset(id), async () => {
      const bytes = readFileSync(assetPath(id) ?? '');
      assert.equal(await readUki(memorySource(id, bytes)), undefined);
    });

  test('an addon, which has a command line only', async () => {
    assert.equal(
      await open([
        ['.cmdline', 'nopv'],
        ['.sbat', 'sbat,1'],
      ]),
      undefined,
    );
  });

  test('anything, of any length', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 600 }), async (bytes) => {
        assert.equal(await readUki(memorySource('any', bytes)), undefined);
        bytes.set(Buffer.from('MZ').subarray(0, bytes.length));
        assert.equal(await readUki(memorySource('any', bytes)), undefined);
      }),
    );
  });
});

describe('a unified kernel image that is not as it should be', () => {
  const sections: Sections = [
    ['.profile', 'ID=one'],
    ['.linux', Buffer.alloc(2000, 1)],
    ['.cmdline', COMMAND_LINE],
    ['.initrd', Buffer.alloc(3000, 2)],
  ];
  const SECTION_TABLE = 0x80 + 24 + 240;

  test('for another processor is refused by its number', async () => {
    const bytes = efiProgram(sections);
    bytes.writeUInt16LE(0xaa64, 0x84);
    await rejects(bytes, 'unsupported', /machine 0xaa64/);
  });

  test('with a section beyond its end is cut off, and named', async () => {
    const bytes = efiProgram(sections);
    await rejects(bytes.subarray(0, -1024), 'truncated', /\.initrd/);
    bytes.writeUInt32LE(0xffffffff, SECTION_TABLE + 40 + 20);
    await rejects(bytes, 'truncated', /\.linux/);
  });

  test('with more sections than any loader takes is refused', async () => {
    const bytes = efiProgram(sections);
    bytes.writeUInt16LE(0xffff, 0x86);
    await rejects(bytes, 'malformed', /65535 sections/);
  });

  test('with a table of sections beyond its headers is cut off', async () => {
    const bytes = efiProgram(sections);
    bytes.writeUInt16LE(0xffff, 0x94);
    await rejects(bytes, 'truncated', /section header/);
  });

  test('with a command line as long as a file is refused', async () => {
    await rejects(
      efiProgram([
        ['.linux', 'k'],
        ['.cmdline', 'x'.repeat(70_000)],
      ]),
      'malformed',
      /\.cmdline/,
    );
  });

  test('with profiles of which one has no kernel is refused', async () => {
    await rejects(
      efiProgram([
        ['.profile', 'ID=a'],
        ['.linux', 'k'],
        ['.profile', 'ID=b'],
      ]),
      'malformed',
      /without a kernel/,
    );
  });

  test('whatever its headers say, nothing but a FormatError comes, and nothing outside of it is read', async () => {
    const whole = efiProgram(sections);
    const edit = fc.tuple(fc.integer({ min: 0x3c, max: SECTION_TABLE + 160 }), fc.integer({ min: 0, max: 255 }));
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 6 }), async (edits) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of edits) bytes[at] = value;
        try {
          const uki = await readUki(memorySource('edited', bytes));
          for (const { kernel, initrds } of uki?.profiles ?? [])
            for (const part of [kernel, ...initrds]) assert.equal((await all(part)).length, part.size);
        } catch (error) {
          assert.ok(error instanceof FormatError, String(error));
        }
      }),
      { numRuns: 500 },
    );
  });
});

async function open(sections: Sections) {
  return await readUki(memorySource('made.efi', efiProgram(sections)));
}

async function lineOf(text: string): Promise<string | undefined> {
  const uki = await open([
    ['.linux', 'kernel'],
    ['.cmdline', text],
  ]);
  return uki?.profiles[0].commandLine;
}

async function all(source: ByteSource | undefined): Promise<Buffer> {
  assert.ok(source);
  return Buffer.from(await source.read(0, source.size));
}

async function rejects(bytes: Uint8Array, kind: string, message: RegExp): Promise<void> {
  await assert.rejects(readUki(memorySource('bad.efi', bytes)), (error) => {
    assert.ok(error instanceof FormatError, String(error));
    assert.equal(error.kind, kind, error.message);
    assert.match(error.message, message);
    return true;
  });
}

function needsAll(): { skip: string | false } {
  for (const id of ['gcc', 'systemd-boot-efi', 'kernel-6.12-cloud']) {
    const { skip } = needsAsset(id);
    if (skip !== false) return { skip };
  }
  return { skip: false };
}

/** systemd's stub with sections added behind its own, as ukify did before it wrote PE files itself. */
function unified(sections: Readonly<Record<string, string | Uint8Array>>): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'unpin-uki-'));
  try {
    const stub = assetPath('systemd-boot-efi') ?? '';
    let address = 0x2000_0000;
    const args: string[] = [];
    for (const [name, content] of Object.entries(sections)) {
      const path = join(folder, name.slice(1));
      writeFileSync(path, content);
      const hex = `0x${address.toString(16)}`;
      args.push('--add-section', `${name}=${path}`, '--change-section-vma', `${name}=${hex}`);
      args.push('--set-section-flags', `${name}=data,readonly`);
      address += Math.ceil(content.length / 4096 + 1) * 4096;
    }
    const made = join(folder, 'made.efi');
    // The stub was linked at 0 with few sections of its own: objcopy finds room for more headers.
    const { status, stderr } = objcopy([...args, stub, made]);
    assert.equal(status, 0, stderr);
    return readFileSync(made);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** binutils are part of the compiler's closure: its own loader starts them. */
function objcopy(args: readonly string[]) {
  const root = join(dirname(assetPath('gcc') ?? ''), '..');
  const libraries = ['lib/x86_64-linux-gnu', 'usr/lib/x86_64-linux-gnu'].map((path) => join(root, path));
  const loader = libraries.map((path) => join(path, 'ld-linux-x86-64.so.2')).find((path) => existsSync(path)) ?? '';
  const program = join(root, 'usr/bin/x86_64-linux-gnu-objcopy');
  return spawnSync(loader, ['--library-path', libraries.join(':'), program, ...args], {
    encoding: 'utf8',
    timeout: 60_000,
  });
}
