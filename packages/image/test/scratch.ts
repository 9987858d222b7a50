/** A folder for a test file's images, gone when it ends. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

/** Call it once, at the top of a test file. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'unpin-image-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
