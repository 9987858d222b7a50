import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { UnpinError } from '@unpin/contract';
import { FormatError, inspectKernelFile, toUnpinError } from '../src/index.ts';
import { syntheticKernel } from './synthetic/kernel.ts';

const folder = mkdtempSync(join(tmpdir(), 'unpin-image-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'vmlinux');
writeFileSync(path, syntheticKernel());

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    assert.ok(error instanceof UnpinError, String(error));
    return error.code;
  }
  return 'none';
}

describe('inspecting a file', () => {
  test('gives the verdict, its digest and what it cost', () => {
    const { verdict, figures } = inspectKernelFile(path);
    assert.equal(verdict.bootSet.kernel.name, path);
    assert.match(verdict.bootSet.kernel.sha256, /^[0-9a-f]{64}$/);
    assert.equal(verdict.bootSet.kernel.bytes, figures.fileBytes);
    assert.equal(figures.imageBytes, figures.fileBytes);
    assert.equal(verdict.statements['reports-correctly'].answer, 'yes');
  });

  test('follows a link to a file', () => {
    symlinkSync(path, join(folder, 'link'));
    assert.equal(inspectKernelFile(join(folder, 'link')).problem, undefined);
  });

  test('an empty file is not a kernel', () => {
    writeFileSync(join(folder, 'empty'), '');
    assert.equal(inspectKernelFile(join(folder, 'empty')).problem?.kind, 'not-a-kernel');
  });

  test('what is missing or no regular file is refused', () => {
    assert.equal(
      codeOf(() => inspectKernelFile(join(folder, 'none'))),
      'FILE_NOT_FOUND',
    );
    assert.equal(
      codeOf(() => inspectKernelFile(join(path, 'below a file'))),
      'FILE_NOT_FOUND',
    );
    assert.equal(
      codeOf(() => inspectKernelFile(folder)),
      'FILE_UNREADABLE',
    );
    assert.equal(
      codeOf(() => inspectKernelFile('/dev/zero')),
      'FILE_UNREADABLE',
    );
  });

  test('a FIFO is refused at once, without waiting for a writer', () => {
    const fifo = join(folder, 'fifo');
    assert.equal(spawnSync('mkfifo', [fifo]).status, 0);
    assert.equal(
      codeOf(() => inspectKernelFile(fifo)),
      'FILE_UNREADABLE',
    );
  });

  test('a file above the limit is refused before it is read', () => {
    const huge = join(folder, 'huge');
    writeFileSync(huge, '');
    truncateSync(huge, 2 ** 40);
    assert.equal(
      codeOf(() => inspectKernelFile(huge)),
      'FILE_TOO_LARGE',
    );
    assert.equal(
      codeOf(() => inspectKernelFile(path, { fileLimit: 100 })),
      'FILE_TOO_LARGE',
    );
  });
});

test("a parser's error becomes the catalogue's, with the file as its subject", () => {
  const codes = {
    'not-a-kernel': 'NOT_A_KERNEL',
    'not-64-bit': 'NOT_A_KERNEL',
    truncated: 'KERNEL_CORRUPT',
    malformed: 'KERNEL_CORRUPT',
    unsupported: 'KERNEL_UNSUPPORTED',
    'over-budget': 'KERNEL_UNSUPPORTED',
  } as const;
  for (const [kind, code] of Object.entries(codes)) {
    const error = toUnpinError(new FormatError(kind as keyof typeof codes, 'xz check', 12, 'detail'), 'vmlinuz');
    assert.equal(error.code, code);
    assert.equal(error.parts.subject, 'vmlinuz');
    assert.match(error.parts.found ?? '', /xz check at byte 12: detail/);
  }
});
