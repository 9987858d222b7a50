import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { openDiskPath } from '../../src/disk/open-disk-path.ts';
import { diskTool, needsDiskTools } from '../tools.ts';
import { assertDisk, assertFails, islands, plenty, workFolder } from './workshop.ts';

const MIB = 2 ** 20;
const folder = workFolder();
const disk = islands(3 * MIB);
const small = islands(MIB, 3);
let count = 0;

/** A disk with so many teeth, one sector each. */
function comb(teeth: number): Buffer {
  const bytes = Buffer.alloc(teeth * 8192 + 4096);
  for (let i = 0; i < teeth; i++) bytes.fill(i + 1, i * 8192 + 4096, i * 8192 + 4096 + 512);
  return bytes;
}

/** GNU tar looks for zeroes only in files that have holes. */
function writeHoles(path: string, content: Buffer): void {
  writeFileSync(path, '');
  truncateSync(path, content.length);
  const file = openSync(path, 'r+');
  for (let at = 0; at < content.length; at += 4096) {
    const piece = content.subarray(at, at + 4096);
    if (piece.some((byte) => byte !== 0)) writeSync(file, piece, 0, piece.length, at);
  }
  closeSync(file);
}

/** A folder with these files: content by name; a name with a slash at its end is a folder. */
function tree(files: Readonly<Record<string, Uint8Array | string>>): string {
  const top = join(folder, `tree-${++count}`);
  mkdirSync(top);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(top, name)), { recursive: true });
    if (name.endsWith('/')) mkdirSync(join(top, name), { recursive: true });
    else writeHoles(join(top, name), Buffer.from(content));
  }
  return top;
}

/** A tar of these files by GNU tar. */
function tar(files: Readonly<Record<string, Uint8Array | string>>, args: readonly string[] = []): string {
  const top = tree(files);
  const to = `${top}.tar`;
  diskTool('tar', ['-c', ...args, '-f', to, '-C', top, ...readdirSync(top)]);
  return to;
}

function written(name: string, bytes: Uint8Array): string {
  const to = join(folder, `${++count}-${name}`);
  writeFileSync(to, bytes);
  return to;
}

const open = (path: string, member?: string): ReturnType<typeof openDiskPath> =>
  openDiskPath(path, { budget: plenty(), ...(member !== undefined && { member }) });

describe('a tar with a disk in it', needsDiskTools(), () => {
  const forms: Readonly<Record<string, readonly string[]>> = {
    ustar: ['--format=ustar'],
    pax: ['--format=pax'],
    'of GNU': ['--format=gnu'],
    'from before ustar': ['--format=v7'],
  };
  for (const [title, args] of Object.entries(forms))
    test(`${title}: is opened as that disk`, async () => {
      const file = tar({ 'disk.raw': disk, 'README.txt': 'a disk' }, args);
      // Nothing tells such an archive from a raw disk.
      if (title === 'from before ustar') await assertDisk(file, file);
      else assert.deepEqual((await assertDisk(file, disk)).wrappings, ['tar']);
    });

  const sparse: Readonly<Record<string, readonly string[]>> = {
    'as GCE wants it': ['--format=oldgnu'],
    'pax 1.0': ['--format=pax'],
    'pax 0.1': ['--format=pax', '--sparse-version=0.1'],
    'pax 0.0': ['--format=pax', '--sparse-version=0.0'],
  };
  for (const [title, args] of Object.entries(sparse))
    test(`sparse, ${title}: is opened with its zeroes`, async () => {
      // Few pieces and many: of GNU's old map four fit the header and 21 each block that follows.
      for (const content of [disk, comb(3), comb(80), Buffer.alloc(MIB)]) {
        const file = tar({ 'disk.raw': content }, [...args, '-S', '--hole-detection=raw']);
        assert.ok(statSync(file).size < content.length, 'tar left zeroes out');
        await assertDisk(file, content);
      }
    });

  test('with a name longer than a header holds is opened', async () => {
    const name = `${'a folder with a long name/'.repeat(12)}disk.img`;
    await assertDisk(tar({ [name]: small }, ['--format=gnu']), small);
    await assertDisk(tar({ [name]: small }, ['--format=pax']), small);
  });

  test('that is a qcow2 is opened as what that holds', async () => {
    const raw = written('raw', disk);
    diskTool('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', '-c', raw, `${raw}.qcow2`]);
    const file = tar({ 'image.qcow2': readFileSync(`${raw}.qcow2`) });
    assert.equal((await assertDisk(file, disk)).format, 'qcow2');
  });

  test('is opened from gzip and zstd, by way of a file of which nothing stays', async () => {
    const plain = readFileSync(tar({ 'disk.raw': disk }, ['--format=oldgnu', '-S', '--hole-detection=raw']));
    for (const [kind, packed] of [
      ['gzip', gzipSync(plain)],
      ['zstd', zstdCompressSync(plain)],
    ] as const) {
      const spill = { folder: join(folder, `spill-${kind}`), bytes: 2 ** 30, stored: 2 ** 30 };
      mkdirSync(spill.folder);
      const opened = await openDiskPath(written(kind, packed), { budget: plenty(), spill });
      assert.deepEqual(opened.wrappings, [kind, 'tar']);
      assert.match(opened.notes.join(), /temporary file, \d+ bytes/);
      assert.deepEqual(readdirSync(spill.folder), []);
      assert.ok(disk.equals(await opened.source.read(0, opened.source.size)));
      opened.close();
    }
  });

  test('and another one asks which', async () => {
    const file = tar({ 'a.img': small, 'b.qcow2': 'no qcow2', 'notes.txt': '' });
    await assertFails(open(file), 'unsupported', /2 disks.*a\.img/);
    const one = await open(file, 'a.img');
    assert.ok(small.equals(await one.source.read(0, MIB)));
    one.close();
    await assertFails(open(file, 'c.img'), 'unsupported', /without c\.img/);
  });

  test('of an appliance names its format', async () => {
    const raw = written('raw', small);
    diskTool('qemu-img', ['convert', '-f', 'raw', '-O', 'vmdk', '-o', 'subformat=streamOptimized', raw, `${raw}.vmdk`]);
    const ova = tar({ 'a.ovf': '<Envelope/>', 'a-disk1.vmdk': readFileSync(`${raw}.vmdk`) });
    await assertFails(open(ova), 'unsupported', /VMDK is not read.*qemu-img convert/);
  });

  test('is told without one, or cut off', async () => {
    await assertFails(open(tar({ 'a.txt': 'text' })), 'unsupported', /without a disk/);
    const file = tar({ 'disk.raw': disk });
    truncateSync(file, MIB);
    await assertFails(open(file), 'truncated');
  });
});

/** A header as GNU tar writes it, with its checksum and without a name. */
function header(type: string, size: number): Buffer {
  const block = Buffer.alloc(512);
  block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  block.write(type, 156);
  block.write('ustar  \0', 257);
  block.fill(' ', 148, 156);
  block.write(
    `${block
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  );
  return block;
}

test('a tar of names without end ends before memory does', async () => {
  const members = Array.from({ length: 5000 }, (_, index) => [
    header('L', 4096),
    Buffer.alloc(4096, `${index}/`),
    header('0', 0),
  ]);
  await assertFails(open(written('names', Buffer.concat(members.flat()))), 'over-budget', /names/);
});

describe('a packed disk', () => {
  test('is opened from gzip and zstd, also in several members', async () => {
    await assertDisk(written('disk.raw.gz', gzipSync(disk)), disk);
    await assertDisk(written('disk.raw.zst', zstdCompressSync(disk)), disk);
    const halves = [disk.subarray(0, MIB), disk.subarray(MIB)];
    await assertDisk(written('disk.raw.gz', Buffer.concat(halves.map((half) => gzipSync(half)))), disk);
    await assertDisk(written('disk.raw.zst', Buffer.concat(halves.map((half) => zstdCompressSync(half)))), disk);
  });

  test('that is cut off or damaged is told', async () => {
    const gzip = gzipSync(disk);
    await assertFails(open(written('a', gzip.subarray(0, gzip.length - 1000))), 'truncated');
    await assertFails(open(written('a', Buffer.concat([gzip.subarray(0, 5000), gzip.subarray(5100)]))), 'malformed');
    const zstd = zstdCompressSync(disk);
    await assertFails(open(written('a', zstd.subarray(0, zstd.length - 1000))), 'truncated');
  });

  test('that is a bomb ends at what was allowed, whether it holds zeroes or not', async () => {
    const zeroes = written('zeroes', gzipSync(Buffer.alloc(64 * MIB)));
    const ones = written('ones', gzipSync(Buffer.alloc(16 * MIB, 1)));
    const spill = { bytes: 32 * MIB, stored: 8 * MIB };
    await assertFails(openDiskPath(zeroes, { budget: plenty(), spill }), 'over-budget', /unpacked/);
    await assertFails(openDiskPath(ones, { budget: plenty(), spill }), 'over-budget', /temporary/);
  });

  test('keeps no zeroes in its temporary file', async () => {
    const spill = { bytes: 128 * MIB, stored: 8192 };
    const content = Buffer.alloc(64 * MIB);
    content[40 * MIB] = 1;
    await assertDisk(written('holes', gzipSync(content)), content, { spill });
  });

  test('that is packed again and again ends', async () => {
    let bytes: Uint8Array = small;
    for (let i = 0; i < 8; i++) bytes = gzipSync(bytes);
    await assertFails(open(written('again', bytes)), 'over-budget', /packed more than/);
  });
});

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** An OCI image layout with these layers, as files by name. */
function layout(
  layers: readonly Uint8Array[],
  change: (blobs: Map<string, Uint8Array>) => void = () => {},
): Record<string, Uint8Array> {
  const blobs = new Map<string, Uint8Array>();
  const add = (bytes: Uint8Array): { digest: string; size: number } => {
    blobs.set(sha256(bytes), bytes);
    return { digest: `sha256:${sha256(bytes)}`, size: bytes.length };
  };
  const manifest = { schemaVersion: 2, config: add(Buffer.from('{}')), layers: layers.map(add) };
  const index = { schemaVersion: 2, manifests: [add(Buffer.from(JSON.stringify(manifest)))] };
  change(blobs);
  const files: Record<string, Uint8Array> = {
    'oci-layout': Buffer.from('{"imageLayoutVersion":"1.0.0"}'),
    'index.json': Buffer.from(JSON.stringify(index)),
  };
  for (const [digest, bytes] of blobs) files[`blobs/sha256/${digest}`] = bytes;
  return files;
}

function layer(files: Readonly<Record<string, Uint8Array | string>>): Buffer {
  return readFileSync(tar(files, ['--format=pax']));
}

function base(): Buffer {
  return layer({ 'etc/os-release': 'a base', 'disk/old.img': islands(4096, 2) });
}

/** The only manifest of a layout's index, as one for an architecture. */
function entry(files: Record<string, Uint8Array>, architecture: string): unknown {
  const [one] = (JSON.parse(String(Buffer.from(files['index.json'] ?? []))) as { manifests: object[] }).manifests;
  return { ...one, platform: { os: 'linux', architecture } };
}

describe('a containerDisk', needsDiskTools(), () => {
  test('is opened from a folder and from a tar, its layer plain or packed', async () => {
    const top = layer({ 'disk/disk.img': disk });
    for (const packed of [top, gzipSync(top), zstdCompressSync(top)]) {
      const files = layout([packed]);
      assert.deepEqual((await assertDisk(tree(files), disk)).wrappings, ['oci']);
      await assertDisk(tar(files), disk);
    }
  });

  test('with a qcow2 is opened as what that holds', async () => {
    const raw = written('raw', disk);
    diskTool('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', '-c', raw, `${raw}.qcow2`]);
    const files = layout([gzipSync(layer({ 'disk/a.qcow2': readFileSync(`${raw}.qcow2`) }))]);
    const opened = await assertDisk(tree(files), disk);
    assert.deepEqual([opened.format, opened.wrappings], ['qcow2', ['oci']]);
  });

  test('has the disk of its uppermost layer that has one', async () => {
    const above = [layer({ 'disk/new.img': small }), layer({ 'etc/motd': 'hello' })];
    await assertDisk(tree(layout([base(), ...above])), small);
  });

  test('has no disk that a layer above took away', async () => {
    for (const gone of ['disk/.wh.old.img', 'disk/.wh..wh..opq', '.wh.disk', '.wh..wh..opq']) {
      const files = layout([base(), layer({ [gone]: '' })]);
      await assertFails(open(tree(files)), 'unsupported', /no containerDisk/);
    }
    await assertDisk(tree(layout([base(), layer({ 'disk/.wh.other.img': '' })])), islands(4096, 2));
  });

  test('with two disks, a link for one, or none is told', async () => {
    await assertFails(
      open(tree(layout([layer({ 'disk/a': 'a', 'disk/b': 'b' })]))),
      'unsupported',
      /2 files in \/disk/,
    );
    await assertFails(open(tree(layout([layer({ 'etc/a': 'a' })]))), 'unsupported', /without a file in \/disk/);
    const top = tree({ 'disk/': '' });
    symlinkSync('/etc/passwd', join(top, 'disk/disk.img'));
    diskTool('tar', ['-cf', `${top}.tar`, '-C', top, 'disk']);
    await assertFails(open(tree(layout([readFileSync(`${top}.tar`)]))), 'unsupported', /no file but a symlink/);
  });

  test('is compared with its digests: manifest, packed layer, plain layer', async () => {
    const top = layer({ 'disk/disk.img': small });
    for (const packed of [top, gzipSync(top)]) {
      const changed = layout([packed], (blobs) => {
        const other = Buffer.from(packed);
        // In the middle of the disk where it is plain; gzip's own checksum would tell of another place.
        if (packed === top) other[100_000] = (other[100_000] ?? 0) ^ 1;
        else other[4] = 1;
        blobs.set(sha256(packed), other);
      });
      await assertFails(open(tree(changed)), 'malformed', /digest is sha256/);
    }
    const manifest = layout([top], (blobs) => {
      for (const [digest, bytes] of blobs)
        if (bytes[2] === 0x73) blobs.set(digest, Buffer.concat([bytes, Buffer.from(' ')]));
    });
    await assertFails(open(tree(manifest)), 'malformed', /digest is sha256/);
  });

  test('of several architectures is that of x86-64', async () => {
    const arm = layout([layer({ 'disk/disk.img': small })]);
    const amd = layout([layer({ 'disk/disk.img': disk })]);
    const both = (a: string, b: string): Record<string, Uint8Array> => ({
      ...arm,
      ...amd,
      'index.json': Buffer.from(JSON.stringify({ manifests: [entry(arm, a), entry(amd, b)] })),
    });
    await assertDisk(tree(both('arm64', 'amd64')), disk);
    await assertFails(open(tree(both('arm64', 's390x'))), 'unsupported', /0 of them for linux\/amd64/);
  });

  test('lacks a blob, names one by a path, or goes in circles: told', async () => {
    const missing = layout([layer({ 'disk/a': 'a' })], (blobs) => blobs.delete([...blobs.keys()][1] ?? ''));
    await assertFails(open(tree(missing)), 'truncated', /lacks its blob/);
    const outside = { 'index.json': JSON.stringify({ manifests: [{ digest: 'sha256:../../../../etc/passwd' }] }) };
    await assertFails(open(tree(outside)), 'unsupported', /digest/);
    await assertFails(open(tree({ 'index.json': '{"manifests":[' })), 'malformed');
    await assertFails(open(tree({ 'index.json': '[]' })), 'unsupported', /0 images/);
    await assertFails(open(tree({ 'a.txt': '' })), 'unsupported', /neither an OCI image layout/);
  });

  test('in a folder is not led out of it by a link', async () => {
    const secret = layer({ 'disk/disk.img': 'secret' });
    const top = tree(layout([secret]));
    const blob = join(top, 'blobs/sha256', sha256(secret));
    rmSync(blob);
    symlinkSync(written('secret', secret), blob);
    await assertFails(open(top), 'escape', /is a link to/);
  });

  test('as docker save wrote it is opened, by names of old and of now', async () => {
    const layers = [base(), layer({ 'disk/.wh.old.img': '', 'disk/new.img': disk })];
    const config = Buffer.from(JSON.stringify({ rootfs: { diff_ids: layers.map((one) => `sha256:${sha256(one)}`) } }));
    const saved = (paths: readonly string[], contents: readonly Uint8Array[]): Record<string, Uint8Array> => ({
      'manifest.json': Buffer.from(
        JSON.stringify([{ Config: `${sha256(config)}.json`, RepoTags: ['a:b'], Layers: paths }]),
      ),
      [`${sha256(config)}.json`]: config,
      ...Object.fromEntries(paths.map((path, index) => [path, contents[index] ?? new Uint8Array()])),
    });
    await assertDisk(tar(saved(['aa/layer.tar', 'bb/layer.tar'], layers)), disk);
    const blobs = layers.map((one) => `blobs/sha256/${sha256(one)}`);
    await assertDisk(tar(saved(blobs, layers)), disk);
    const other = layers.map((one) => Buffer.concat([one, Buffer.alloc(512)]));
    await assertFails(open(tar(saved(['aa/layer.tar', 'bb/layer.tar'], other))), 'malformed', /digest/);
  });

  test('of which a layer is a link to another name of it is opened', async () => {
    const one = layer({ 'disk/disk.img': small });
    const top = tree({ 'aa/layer.tar': one, 'bb/': '' });
    symlinkSync('../aa/layer.tar', join(top, 'bb/layer.tar'));
    symlinkSync('circle', join(top, 'circle'));
    const save = (path: string): string => {
      writeFileSync(join(top, 'manifest.json'), JSON.stringify([{ Config: 'none', Layers: [path] }]));
      diskTool('tar', ['-cf', `${top}.tar`, '-C', top, ...readdirSync(top)]);
      return `${top}.tar`;
    };
    await assertDisk(save('bb/layer.tar'), small);
    await assertFails(open(save('circle')), 'cycle');
  });
});

test('a folder that is no image is told', async () => {
  await assertFails(open(folder), 'unsupported', /neither an OCI image layout/);
});
