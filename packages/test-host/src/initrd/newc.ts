/**
 * Writes the archive that a Linux kernel unpacks as its initial root: cpio "newc" (magic 070701), as the kernel's
 * Documentation/driver-api/early-userspace/buffer-format.rst describes it. Every number in a header is eight hexadecimal
 * digits; name and data are padded to four bytes each.
 */

/** One member of the archive. Paths have no leading slash; directories must come before what is in them. */
export type CpioEntry =
  | { readonly kind: 'directory'; readonly path: string; readonly mode?: number }
  | { readonly kind: 'file'; readonly path: string; readonly mode?: number; readonly data: Uint8Array }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  | {
      readonly kind: 'character-device';
      readonly path: string;
      readonly mode?: number;
      readonly major: number;
      readonly minor: number;
    };

const MAGIC = '070701';
const TRAILER = 'TRAILER!!!';
const ALIGNMENT = 4;
/** Archives end on a multiple of this, as cpio(1) leaves them: several can then be put one after the other. */
const BLOCK = 512;
/** A size is eight hexadecimal digits. */
const LARGEST_FILE = 0xffff_ffff;

const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;
const S_IFCHR = 0o020000;

/**
 * The archive as one buffer, owned by root, all times zero: equal entries give equal bytes.
 * Throws RangeError for a path that the kernel could not unpack: absolute, empty, with a `..` or a NUL, or named like
 * the trailer; and for a file of 4 GiB or more.
 */
export function cpioArchive(entries: readonly CpioEntry[]): Buffer {
  const parts: Buffer[] = [];
  let length = 0;
  const add = (bytes: Buffer): void => {
    parts.push(bytes);
    length += bytes.length;
  };
  for (const [index, entry] of entries.entries()) {
    checkPath(entry.path);
    const data = dataOf(entry);
    if (data.length > LARGEST_FILE)
      throw new RangeError(`${entry.path}: ${data.length} bytes do not fit a cpio header`);
    // Inode numbers must differ: the kernel takes equal ones with nlink > 1 as hard links.
    add(header(entry, index + 1, data.length));
    add(data);
    add(padding(data.length, ALIGNMENT));
  }
  add(member({ name: TRAILER, inode: 0, mode: 0, links: 1, size: 0, major: 0, minor: 0 }));
  add(padding(length, BLOCK));
  return Buffer.concat(parts, length);
}

interface Member {
  readonly name: string;
  readonly inode: number;
  readonly mode: number;
  readonly links: number;
  readonly size: number;
  readonly major: number;
  readonly minor: number;
}

function header(entry: CpioEntry, inode: number, size: number): Buffer {
  const device = entry.kind === 'character-device' ? entry : { major: 0, minor: 0 };
  return member({
    name: entry.path,
    inode,
    mode: modeOf(entry),
    links: entry.kind === 'directory' ? 2 : 1,
    size,
    major: device.major,
    minor: device.minor,
  });
}

function member(of: Member): Buffer {
  const name = Buffer.from(`${of.name}\0`);
  // c_ino c_mode c_uid c_gid c_nlink c_mtime c_filesize c_maj c_min c_rmaj c_rmin c_namesize c_chksum
  const fields = [of.inode, of.mode, 0, 0, of.links, 0, of.size, 0, 0, of.major, of.minor, name.length, 0];
  const head = Buffer.from(MAGIC + fields.map((field) => field.toString(16).padStart(8, '0')).join(''), 'latin1');
  return Buffer.concat([head, name, padding(head.length + name.length, ALIGNMENT)]);
}

function modeOf(entry: CpioEntry): number {
  switch (entry.kind) {
    case 'directory':
      return S_IFDIR | (entry.mode ?? 0o755);
    case 'file':
      return S_IFREG | (entry.mode ?? 0o644);
    case 'symlink':
      return S_IFLNK | 0o777;
    case 'character-device':
      return S_IFCHR | (entry.mode ?? 0o600);
  }
}

function dataOf(entry: CpioEntry): Buffer {
  switch (entry.kind) {
    case 'file':
      return Buffer.from(entry.data.buffer, entry.data.byteOffset, entry.data.byteLength);
    case 'symlink':
      return Buffer.from(entry.target);
    case 'directory':
    case 'character-device':
      return Buffer.alloc(0);
  }
}

function padding(length: number, to: number): Buffer {
  return Buffer.alloc((to - (length % to)) % to);
}

function checkPath(path: string): void {
  const wrong = path === '' || path.startsWith('/') || path.includes('\0') || path.split('/').includes('..');
  if (wrong || path === TRAILER) throw new RangeError(`'${path}' cannot be a path in an initial root`);
}
