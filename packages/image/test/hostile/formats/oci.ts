import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { Draft } from '../draft.ts';
import type { HostileFormat } from '../format.ts';
import type { Random } from '../random.ts';
import { readImage } from '../read-everything.ts';
import { converted, fatDisk } from '../tiny-disks.ts';
import { type TarFile, tarOf } from './tar-of.ts';

/** A saved containerDisk is made anew for each case: its parts name each other by digest. */
export const oci: HostileFormat = {
  name: 'oci',
  seeds: () => [converted(fatDisk(), 'qcow2', '-c', '-o', 'cluster_size=4k')],
  change(draft, random) {
    const disk = Buffer.from(draft.bytes);
    draft.replace(savedImage(disk, random));
  },
  read: readImage,
};

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

function savedImage(disk: Buffer, random: Random): Buffer {
  // A part is changed before the next names it by digest, or after.
  const consistent = !random.once(5);
  const which = random.below(7);
  const hurt = (index: number, value: Json): Buffer => {
    const text = JSON.stringify(value);
    if (index !== which) return Buffer.from(text);
    return random.once(3) ? Buffer.from(garble(text, random)) : Buffer.from(JSON.stringify(changed(value, random, 0)));
  };
  const name = random.pick([
    'disk/disk.qcow2',
    'disk/disk.img',
    '/disk/x',
    './disk/x.qcow2',
    'disk/.wh.x',
    '../disk/x',
    'disk/a/b',
  ]);
  const type = random.pick(['0', '0', '0', '0', '2', '1', 'S', '5']);
  const layerTar = tarOf([
    ['disk/', Buffer.alloc(0), '5'],
    [name, disk, type],
    ...(random.once(4) ? ([['disk/.wh..wh..opq', Buffer.alloc(0), '0']] as const) : []),
  ]);
  const packed = random.once(4) ? layerTar : gzipSync(layerTar, { level: 1 });
  const layer = which === 0 ? flipped(packed, random) : packed;
  const config = hurt(1, {
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [digest(layerTar)] },
  });
  const layers = Array.from({ length: random.once(6) ? 200 : 1 }, () => descriptor('layer.v1.tar+gzip', layer));
  const manifest = hurt(2, { schemaVersion: 2, config: descriptor('config.v1+json', config), layers });
  const index = hurt(3, {
    schemaVersion: 2,
    manifests: [{ ...descriptor('manifest.v1+json', manifest), platform: { os: 'linux', architecture: 'amd64' } }],
  });
  const blobs = [layer, config, manifest].map(
    (bytes) => [`blobs/sha256/${digest(bytes).slice(7)}`, bytes, '0'] as const,
  );
  const files: TarFile[] = [
    ['oci-layout', hurt(4, { imageLayoutVersion: '1.0.0' }), '0'] as const,
    ['index.json', index, '0'] as const,
    ...blobs.map(([path, bytes, kind]) => [path, consistent ? bytes : flipped(bytes, random), kind] as const),
  ];
  if (random.once(4))
    files.push(['manifest.json', hurt(5, [{ Config: 'config.json', Layers: ['layer.tar', '../layer.tar'] }]), '0']);
  if (random.once(8)) files.push(['index.json', index, random.pick(['1', '2'])]);
  const all = tarOf(random.once(4) ? files.toReversed() : files);
  return which === 6 ? flipped(all, random) : all;
}

function descriptor(kind: string, bytes: Buffer): { readonly [key: string]: Json } {
  return { mediaType: `application/vnd.oci.image.${kind}`, digest: digest(bytes), size: bytes.length };
}

function digest(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

const STRANGE: readonly Json[] = [
  null,
  true,
  0,
  -1,
  1e308,
  2 ** 53,
  0.5,
  '',
  'sha256:',
  'sha256:../../../../etc/passwd',
  `sha256:${'0'.repeat(64)}`,
  'sha512:00',
  '/etc/passwd',
  'x'.repeat(100_000),
  [],
  {},
  { __proto__: 1, constructor: 2, toString: 3 },
];

/** One value somewhere becomes another. */
function changed(value: Json, random: Random, depth: number): Json {
  if (depth > 6 || random.once(4)) return random.pick(STRANGE);
  if (Array.isArray(value)) {
    const list = value as readonly Json[];
    if (list.length === 0 || random.once(6)) return Array.from({ length: 5000 }, () => list[0] ?? null);
    const at = random.below(list.length);
    return list.map((each, index) => (index === at ? changed(each, random, depth + 1) : each));
  }
  if (typeof value !== 'object' || value === null) return random.pick(STRANGE);
  const entries = Object.entries(value);
  const at = random.below(entries.length);
  return Object.fromEntries(
    entries.map(([key, each], index) => (index === at ? [key, changed(each, random, depth + 1)] : [key, each])),
  );
}

/** Text that may be no JSON any more, or more of it than anybody wants. */
function garble(text: string, random: Random): string {
  const at = random.below(text.length);
  const words = [
    '[',
    '{',
    '"',
    '\\u0000',
    '\\ud800',
    '}',
    ',',
    '1e999',
    '[['.repeat(50_000),
    '{"a":'.repeat(20_000),
    '\0',
  ];
  return text.slice(0, at) + random.pick(words) + text.slice(at + random.below(4));
}

function flipped(bytes: Buffer, random: Random): Buffer {
  const draft = new Draft(bytes);
  for (let count = 1 + random.below(4); count > 0; count--)
    draft.write(random.below(draft.size), Buffer.of(random.below(256)));
  if (random.once(4)) draft.cutTo(random.below(draft.size));
  return Buffer.from(draft.bytes);
}
