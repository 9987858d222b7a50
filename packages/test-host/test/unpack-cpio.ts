/** Reads newc archives, written after the format's description and not after our writer: tests compare the two. */
import assert from 'node:assert/strict';

export interface UnpackedEntry {
  readonly path: string;
  readonly inode: number;
  readonly mode: number;
  readonly major: number;
  readonly minor: number;
  readonly raw: Buffer;
  readonly data: string;
}

export function unpackCpio(archive: Buffer): UnpackedEntry[] {
  const entries: UnpackedEntry[] = [];
  for (let at = 0; ; ) {
    assert.equal(archive.toString('latin1', at, at + 6), '070701', `magic at ${at}`);
    const field = (index: number): number => {
      const text = archive.toString('latin1', at + 6 + index * 8, at + 14 + index * 8);
      assert.match(text, /^[0-9a-f]{8}$/i);
      return Number.parseInt(text, 16);
    };
    const nameStart = at + 110;
    const nameEnd = nameStart + field(11);
    assert.equal(archive[nameEnd - 1], 0, 'a name ends with NUL');
    const path = archive.toString('utf8', nameStart, nameEnd - 1);
    const dataStart = Math.ceil(nameEnd / 4) * 4;
    const dataEnd = dataStart + field(6);
    if (path === 'TRAILER!!!') return entries;
    const raw = Buffer.from(archive.subarray(dataStart, dataEnd));
    entries.push({
      path,
      inode: field(0),
      mode: field(1),
      major: field(9),
      minor: field(10),
      raw,
      data: raw.toString('utf8'),
    });
    at = Math.ceil(dataEnd / 4) * 4;
  }
}
