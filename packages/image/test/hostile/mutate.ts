/** Changes that know where a format keeps its numbers and its records. */
import type { Draft, Order } from './draft.ts';
import type { Random } from './random.ts';

/** A number of the format. */
export interface Field {
  readonly at: number;
  readonly width: 1 | 2 | 4 | 8;
  readonly order: Order;
}

/** Records of one kind: one can stand in the place of another. */
export interface Records {
  readonly at: readonly number[];
  readonly bytes: number;
}

/** What is known of a seed. */
export interface Anatomy {
  readonly fields: readonly Field[];
  readonly records: readonly Records[];
}

/** `fieldsAt(0, 'big', [8, 4], [16, 2])`: numbers at offsets into a structure. */
export function fieldsAt(base: number, order: Order, ...rows: readonly (readonly [number, Field['width']])[]): Field[] {
  return rows.map(([at, width]) => ({ at: base + at, width, order }));
}

/** Numbers of one width behind each other. */
export function arrayOf(base: number, count: number, width: Field['width'], order: Order): Field[] {
  return Array.from({ length: count }, (_, index) => ({ at: base + index * width, width, order }));
}

const MOST_CHANGES = 4;

/** Changes a draft: one to a few changes, now and then a cut. */
export function mutate(draft: Draft, { fields, records }: Anatomy, random: Random): void {
  const changes = 1 + random.below(MOST_CHANGES);
  for (let change = 0; change < changes; change++)
    switch (random.below(12)) {
      case 0:
        damage(draft, fields, random);
        break;
      case 1:
      case 2:
        replaceRecord(draft, records, random);
        break;
      case 3:
        linkFields(draft, fields, random);
        break;
      default:
        setField(draft, fields, random);
    }
  if (random.once(25)) draft.cutTo(random.once(2) ? random.below(draft.size) : near(draft, fields, random));
}

/** A field gets a value that its reader may not have thought of. */
function setField(draft: Draft, fields: readonly Field[], random: Random): void {
  if (fields.length === 0) return;
  const { at, width, order } = random.pick(fields);
  const was = draft.number(at, width, order);
  const bits = BigInt(width * 8);
  const max = (1n << bits) - 1n;
  const size = BigInt(draft.size);
  const values = [
    0n,
    1n,
    max,
    max - 1n,
    max >> 1n,
    (max >> 1n) + 1n,
    was + 1n,
    was - 1n,
    was * 2n,
    was >> 1n,
    was ^ (1n << BigInt(random.below(width * 8))),
    ~was,
    BigInt(at),
    size,
    size - 1n,
    size / 512n,
    size / 4096n,
    1n << BigInt(random.below(width * 8)),
    (1n << BigInt(random.below(width * 8))) - 1n,
    BigInt(random.below(2 ** 32)),
    BigInt(random.below(64)),
  ];
  draft.setNumber(at, width, order, random.pick(values));
}

/** A field gets another's value: what led somewhere leads elsewhere, or back. */
function linkFields(draft: Draft, fields: readonly Field[], random: Random): void {
  if (fields.length === 0) return;
  const to = random.pick(fields);
  const alike = fields.filter(({ width }) => width === to.width);
  const from = random.pick(alike);
  draft.setNumber(to.at, to.width, to.order, draft.number(from.at, from.width, from.order));
}

/** A record is put in the place of another of its kind, or emptied. */
function replaceRecord(draft: Draft, records: readonly Records[], random: Random): void {
  if (records.length === 0) return;
  const { at, bytes } = random.pick(records);
  if (at.length === 0) return;
  const from = random.pick(at);
  const content = random.once(6)
    ? Buffer.alloc(bytes, random.pick([0, 0xff]))
    : Buffer.from(draft.bytes.subarray(from, from + bytes));
  draft.write(random.pick(at), content);
}

/** Some bytes near a field become others. */
function damage(draft: Draft, fields: readonly Field[], random: Random): void {
  const at = random.once(3) ? random.below(draft.size) : near(draft, fields, random);
  const bytes = Buffer.alloc(1 + random.below(16));
  for (let index = 0; index < bytes.length; index++) bytes[index] = random.below(256);
  draft.write(at, bytes);
}

function near(draft: Draft, fields: readonly Field[], random: Random): number {
  return fields.length === 0 ? random.below(draft.size) : random.pick(fields).at + random.below(16);
}
