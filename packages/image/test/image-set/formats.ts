/** One raw disk in each of the wrappings that images are passed around in. */
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { diskTool } from '../tools.ts';
import { MIB } from './disk.ts';
import { writeAt } from './filesystems.ts';

export const FORMATS = [
  'raw',
  'qcow2-v2',
  'qcow2-zlib',
  'qcow2-zstd',
  'qcow2-subclusters',
  'qcow2-backing',
  'gce-tar',
  'oci-layout',
  'oci-archive',
] as const;

/** Those that end `unknown`, by their names in qemu-img. */
export const UNREAD_FORMATS = ['vmdk', 'vdi', 'vhdx', 'vpc'] as const;

export type Format = (typeof FORMATS)[number] | (typeof UNREAD_FORMATS)[number];

/** Turns `disk.raw` in `folder` into the format; returns what is inspected, relative to the folder. */
export function wrap(folder: string, format: Format): string {
  const raw = join(folder, 'disk.raw');
  switch (format) {
    case 'raw':
      return 'disk.raw';
    case 'qcow2-v2':
      return qcow2(folder, ['-o', 'compat=0.10']);
    case 'qcow2-zlib':
      return qcow2(folder, ['-c', '-o', 'compat=1.1']);
    case 'qcow2-zstd':
      return qcow2(folder, ['-c', '-o', 'compat=1.1,compression_type=zstd']);
    case 'qcow2-subclusters':
      return qcow2(folder, ['-o', 'extended_l2=on,cluster_size=128k']);
    case 'qcow2-backing':
      return backingChain(folder);
    case 'gce-tar': {
      // As the documents of that cloud tell users to pack it.
      const tar = diskTool('tar', ['--format=oldgnu', '--sparse', '--create', '-C', folder, '-f', '-', 'disk.raw']);
      writeFileSync(join(folder, 'disk.tar.gz'), gzipSync(tar, { level: 1 }));
      rmSync(raw);
      return 'disk.tar.gz';
    }
    case 'oci-layout':
      return ociLayout(folder);
    case 'oci-archive': {
      const layout = join(folder, ociLayout(folder));
      diskTool('tar', ['--create', '-C', layout, '-f', join(folder, 'image.tar'), 'oci-layout', 'index.json', 'blobs']);
      rmSync(layout, { recursive: true });
      return 'image.tar';
    }
    case 'vmdk':
    case 'vdi':
    case 'vhdx':
    case 'vpc': {
      const image = `disk.${format}`;
      diskTool('qemu-img', ['convert', '-f', 'raw', '-O', format, raw, join(folder, image)]);
      rmSync(raw);
      return image;
    }
  }
}

function qcow2(folder: string, options: readonly string[]): string {
  const raw = join(folder, 'disk.raw');
  diskTool('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', ...options, raw, join(folder, 'disk.qcow2')]);
  rmSync(raw);
  return 'disk.qcow2';
}

/** Three files, of which none makes sense alone: each second MiB of what is not zero is in the middle one only. */
function backingChain(folder: string): string {
  const [raw, base, middle] = ['disk.raw', 'base.raw', 'middle.qcow2'].map((name) => join(folder, name));
  if (raw === undefined || base === undefined || middle === undefined) throw new Error('never');
  copyFileSync(raw, base);
  const all = readFileSync(raw);
  const zeros = Buffer.alloc(MIB);
  for (let at = MIB; at < all.length; at += 2 * MIB)
    if (!all.subarray(at, at + MIB).equals(zeros)) writeAt(base, zeros.subarray(0, Math.min(MIB, all.length - at)), at);
  diskTool('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', 'disk.raw', '-F', 'raw', middle]);
  // A rebase keeps what is seen: what the new base lacks comes into the file.
  diskTool('qemu-img', ['rebase', '-q', '-f', 'qcow2', '-b', 'base.raw', '-F', 'raw', middle]);
  rmSync(raw);
  diskTool('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', 'middle.qcow2', '-F', 'qcow2', join(folder, 'top.qcow2')]);
  return 'top.qcow2';
}

/** A containerDisk: an image of one layer in which /disk has the disk. */
function ociLayout(folder: string): string {
  const staging = mkdtempSync(join(folder, 'layer-'));
  mkdirSync(join(staging, 'disk'));
  renameSync(join(folder, qcow2(folder, ['-c'])), join(staging, 'disk', 'debian.qcow2'));
  const own = ['--owner=107', '--group=107', '--sort=name', '--mtime=@1700000000'];
  const tar = diskTool('tar', ['--create', ...own, '-C', staging, '-f', '-', 'disk']);
  rmSync(staging, { recursive: true });
  const layout = join(folder, 'image');
  mkdirSync(join(layout, 'blobs', 'sha256'), { recursive: true });
  const blob = (mediaType: string, bytes: Buffer) => {
    const hex = sha256(bytes);
    writeFileSync(join(layout, 'blobs', 'sha256', hex), bytes);
    return { mediaType: `application/vnd.oci.image.${mediaType}`, digest: `sha256:${hex}`, size: bytes.length };
  };
  const layer = blob('layer.v1.tar+gzip', gzipSync(tar, { level: 1 }));
  const config = blob(
    'config.v1+json',
    json({
      architecture: 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(tar)}`] },
    }),
  );
  const manifest = blob(
    'manifest.v1+json',
    json({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', config, layers: [layer] }),
  );
  writeFileSync(join(layout, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
  writeFileSync(
    join(layout, 'index.json'),
    json({ schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [manifest] }),
  );
  return 'image';
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
