import { closeSync, fstatSync, openSync, readSync, renameSync, rmSync, writevSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { SnapshotFileError } from './file-error.ts';
import { fromText, toText } from './plain-data.ts';
import type { VmSnapshot } from './vm-snapshot.ts';

/**
 * The file, all numbers little-endian:
 *
 *     0   8  magic
 *     8   4  version
 *     12  4  bytes of the text
 *     16  4  CRC-32 of the text
 *     20  4  reserved, 0
 *     24     the text: JSON of Text
 *            the byte arrays, each at a multiple of 4096 with zeros before it
 */
const MAGIC = new TextEncoder().encode('UNPINVM\n');
export const SNAPSHOT_VERSION = 1;
const HEAD_BYTES = 24;
const ALIGNMENT = 4096;
/** A snapshot's text is some hundred kilobytes. */
const MAX_TEXT_BYTES = 64 * 1024 * 1024;
/** Linux writes and reads at most 2 GiB at a time. */
const MOST_AT_ONCE = 1 << 30;

/** Where a byte array lies, and its CRC-32. */
interface Place {
  readonly offset: number;
  readonly bytes: number;
  readonly crc: number;
}

/** What the text consists of: what user space keeps with the VM comes first, and can be read alone. */
interface Text {
  readonly user: string;
  readonly vm: string;
  readonly places: readonly Place[];
  /** Arrays before it belong to `user`. */
  readonly userArrays: number;
}

/**
 * Writes a snapshot, and what user space keeps with it (plain data), to a file that only its owner can read: under
 * another name first, so that no other reader ever sees half of it. The file holds the guest's memory and its keys.
 */
export function writeSnapshot(path: string, snapshot: VmSnapshot, user: unknown = null): void {
  const saved = { user: toText(user), vm: toText(snapshot) };
  const arrays = [...saved.user.arrays, ...saved.vm.arrays];
  const text = encodeText(saved.user.text, saved.vm.text, arrays, saved.user.arrays.length);
  const head = new Uint8Array(HEAD_BYTES);
  const view = new DataView(head.buffer);
  head.set(MAGIC);
  view.setUint32(8, SNAPSHOT_VERSION, true);
  view.setUint32(12, text.length, true);
  view.setUint32(16, crc32(text), true);
  const temporary = `${path}.${process.pid}.tmp`;
  const file = openSync(temporary, 'wx', 0o600);
  try {
    writeAll(file, 0, head);
    writeAll(file, HEAD_BYTES, text);
    let offset = aligned(HEAD_BYTES + text.length);
    for (const bytes of arrays) {
      writeAll(file, offset, bytes);
      offset = aligned(offset + bytes.length);
    }
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw cause;
  } finally {
    closeSync(file);
  }
}

/** @throws SnapshotFileError, and what the file system says */
export function readSnapshot(path: string): { readonly snapshot: VmSnapshot; readonly user: unknown } {
  return withText(path, (file, text) => {
    const array = (at: number) => readArray(path, file, text.places[at]);
    const user = decode(path, text.user, array);
    return { snapshot: decode(path, text.vm, (at) => array(text.userArrays + at)) as VmSnapshot, user };
  });
}

/** What user space has put beside the VM, without reading the VM. @throws as readSnapshot */
export function readSnapshotUser(path: string): unknown {
  return withText(path, (file, text) => decode(path, text.user, (at) => readArray(path, file, text.places[at])));
}

/** The text holds where the arrays lie, which is behind it: its numbers have a fixed width. */
function encodeText(user: string, vm: string, arrays: readonly Uint8Array[], userArrays: number): Uint8Array {
  const crcs = arrays.map((bytes) => crc32(bytes));
  const encode = (first: number): Uint8Array => {
    let offset = first;
    const places = arrays.map((bytes, at): Place => {
      const place = { offset, bytes: bytes.length, crc: crcs[at] ?? 0 };
      offset = aligned(offset + bytes.length);
      return place;
    });
    return new TextEncoder().encode(JSON.stringify({ user, vm, places, userArrays } satisfies Text));
  };
  // Offsets may need more digits than the guess had; blanks at the end are no matter to JSON.
  const room = encode(Number.MAX_SAFE_INTEGER / 2).length;
  const text = encode(aligned(HEAD_BYTES + room));
  const padded = new Uint8Array(room).fill(0x20);
  padded.set(text);
  return padded;
}

function withText<T>(path: string, use: (file: number, text: Text) => T): T {
  const file = openSync(path, 'r');
  try {
    return use(file, readText(path, file));
  } finally {
    closeSync(file);
  }
}

function readText(path: string, file: number): Text {
  const head = readAll(file, 0, HEAD_BYTES);
  if (head.length < MAGIC.length || !MAGIC.every((byte, at) => head[at] === byte))
    throw new SnapshotFileError('foreign', path, 'not a snapshot of an unpin VM');
  if (head.length < HEAD_BYTES) throw new SnapshotFileError('truncated', path, `${head.length} bytes`);
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const version = view.getUint32(8, true);
  if (version !== SNAPSHOT_VERSION)
    throw new SnapshotFileError('version', path, `format version ${version}, and this is ${SNAPSHOT_VERSION}`);
  const length = view.getUint32(12, true);
  if (length > MAX_TEXT_BYTES) throw new SnapshotFileError('damaged', path, `a text of ${length} bytes`);
  const bytes = readAll(file, HEAD_BYTES, length);
  if (bytes.length < length) throw new SnapshotFileError('truncated', path, 'it ends in its text');
  if (crc32(bytes) !== view.getUint32(16, true)) throw new SnapshotFileError('damaged', path, "its text's checksum");
  const text = JSON.parse(new TextDecoder().decode(bytes)) as Text;
  const end = text.places.reduce((most, { offset, bytes }) => Math.max(most, offset + bytes), 0);
  const { size } = fstatSync(file);
  if (size < end) throw new SnapshotFileError('truncated', path, `${size} bytes of ${end}`);
  return text;
}

function readArray(path: string, file: number, place: Place | undefined): Uint8Array {
  if (place === undefined) throw new SnapshotFileError('damaged', path, 'bytes are named that it has not');
  const bytes = readAll(file, place.offset, place.bytes);
  if (bytes.length < place.bytes) throw new SnapshotFileError('truncated', path, `no bytes at ${place.offset}`);
  if (crc32(bytes) !== place.crc) throw new SnapshotFileError('damaged', path, `the checksum at ${place.offset}`);
  return bytes;
}

function decode(path: string, text: string, array: (at: number) => Uint8Array): unknown {
  try {
    return fromText(text, array);
  } catch (cause) {
    if (!(cause instanceof SyntaxError) && !(cause instanceof RangeError)) throw cause;
    throw new SnapshotFileError('damaged', path, cause.message);
  }
}

function writeAll(file: number, offset: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writevSync(file, [bytes.subarray(at, at + MOST_AT_ONCE)], offset + at);
}

/** Fewer bytes where the file ends. */
function readAll(file: number, offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const count = readSync(file, bytes, at, Math.min(length - at, MOST_AT_ONCE), offset + at);
    if (count === 0) break;
    at += count;
  }
  return at === length ? bytes : bytes.subarray(0, at);
}

function aligned(offset: number): number {
  return Math.ceil(offset / ALIGNMENT) * ALIGNMENT;
}
