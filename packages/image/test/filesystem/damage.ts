/** Edits of what is read of an image, for properties: bytes anywhere, numbers at their extremes, parts in wrong places. */
import * as fc from 'fast-check';
import type { ByteSource } from '../../src/source/byte-source.ts';
import type { Read } from './image-source.ts';
import type { Patch } from './xfs-reseal.ts';

const EXTREMES = [
  0, 1, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
];

/** What is done to one structure. Numbers are taken modulo what there is. */
export type Edit =
  | { readonly kind: 'byte'; readonly at: number; readonly value: number }
  | { readonly kind: 'number'; readonly at: number; readonly size: 2 | 4; readonly value: number }
  | { readonly kind: 'copy'; readonly at: number; readonly from: number; readonly length: number }
  | { readonly kind: 'add'; readonly at: number; readonly value: number };

export interface Damage {
  /** Which kind of structure, and which of that kind. */
  readonly group: number;
  readonly read: number;
  readonly edits: readonly Edit[];
}

export function damages(): fc.Arbitrary<Damage[]> {
  // Headers more often than the rest.
  const at = fc.oneof(fc.nat(255), fc.nat(2 ** 16));
  const edit: fc.Arbitrary<Edit> = fc.oneof(
    fc.record({ kind: fc.constant('byte' as const), at, value: fc.nat(255) }),
    fc.record({
      kind: fc.constant('number' as const),
      at,
      size: fc.constantFrom(2 as const, 4 as const),
      value: fc.constantFrom(...EXTREMES),
    }),
    fc.record({ kind: fc.constant('copy' as const), at, from: at, length: fc.constantFrom(1, 4, 8, 16, 32) }),
    fc.record({ kind: fc.constant('add' as const), at, value: fc.constantFrom(1, 2, 8, 255, 254, 248) }),
  );
  const damage = fc.record({ group: fc.nat(), read: fc.nat(), edits: fc.array(edit, { minLength: 1, maxLength: 4 }) });
  return fc.array(damage, { minLength: 1, maxLength: 3 });
}

/** Where structures lie, by their kinds: there are hundreds of one kind, and one of another that matters as much. */
export type Structures = readonly (readonly Read[])[];

/** Structures, damaged, as patches; `seal` has the last word on each. */
export async function damagedReads(
  image: ByteSource,
  structures: Structures,
  damage: readonly Damage[],
  seal: (bytes: Buffer) => Buffer,
): Promise<Patch[]> {
  const patches: Patch[] = [];
  for (const { group, read, edits } of damage) {
    const reads = structures[group % structures.length] ?? [];
    const place = reads[read % reads.length];
    if (place === undefined) continue;
    const bytes = Buffer.from(await image.read(place.offset, place.length));
    for (const edit of edits) apply(bytes, edit);
    patches.push({ offset: place.offset, bytes: seal(bytes) });
  }
  return patches;
}

function apply(bytes: Buffer, edit: Edit): void {
  const at = edit.at % bytes.length;
  switch (edit.kind) {
    case 'byte':
      bytes[at] = edit.value;
      return;
    case 'add':
      bytes[at] = (bytes[at] ?? 0) + edit.value;
      return;
    case 'number': {
      const aligned = at - (at % edit.size);
      if (aligned + edit.size > bytes.length) return;
      // The same number in either order: extremes are alike in both but for few.
      if (edit.size === 2) bytes.writeUInt16BE(edit.value & 0xffff, aligned);
      else bytes.writeUInt32BE(edit.value, aligned);
      return;
    }
    case 'copy': {
      const from = edit.from % bytes.length;
      bytes.copy(bytes, at - (at % 4), from - (from % 4), Math.min(bytes.length, from - (from % 4) + edit.length));
    }
  }
}
