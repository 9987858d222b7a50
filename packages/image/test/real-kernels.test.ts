/** The verdicts that Debian's kernels must get. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeKallsyms, type Inspection, inspectKernelFile, type PayloadFormat } from '../src/index.ts';
import { assetPath, needsAsset } from './assets.ts';

const YES = 'yes proven';
const NO = 'no proven';

/** In the order of the statements: SEV, SEV-ES, SNP, page state changes, TDX, unaccepted memory, reports, correctly. */
const EXPECTED: readonly (readonly [string, PayloadFormat, RegExp, readonly string[]])[] = [
  ['kernel-5.10-cloud', 'lz4-legacy', /^5\.10\..*cloud/, [YES, YES, NO, NO, NO, NO, NO, NO]],
  ['kernel-6.1-cloud', 'lz4-legacy', /^6\.1\..*cloud/, [YES, YES, YES, YES, NO, NO, YES, YES]],
  ['kernel-6.1-generic', 'xz', /^6\.1\.\d+-\d+-amd64$/, [YES, YES, YES, YES, NO, NO, YES, YES]],
  ['kernel-6.12-cloud', 'zstd', /^6\.12\..*cloud/, [YES, YES, YES, YES, YES, YES, YES, YES]],
  ['host-6.12', 'zstd', /^6\.12\./, [YES, YES, YES, YES, YES, YES, YES, YES]],
  ['host-newest', 'zstd', /^\d+\.\d+\./, [YES, YES, YES, YES, YES, YES, YES, YES]],
];

describe('a kernel of Debian', () => {
  for (const [id, payload, release, expected] of EXPECTED)
    test(`${id} gets its verdict`, needsAsset(id), () => {
      const { verdict, kernel, problem } = inspect(id);
      assert.equal(problem, undefined);
      assert.match(kernel?.banner.release ?? '', release);
      assert.equal(verdict.kernel.payload, payload);
      const found = Object.values(verdict.statements).map(({ answer, level }) => `${answer} ${level}`);
      assert.deepEqual(found, expected);
    });

  for (const [id] of EXPECTED)
    test(`${id} has symbols that fit its image`, needsAsset(id), () => {
      const { kernel } = inspect(id);
      assert.ok(kernel);
      const symbols = decodeKallsyms(kernel.elf);
      assert.ok(symbols);
      assert.ok(symbols.size > 50_000, `${symbols.size} symbols`);
      const [text] = kernel.segments;
      assert.ok(text);
      assert.equal(symbols.lookup('_text'), text.vaddr);
      // The ELF's entry is physical, the symbol virtual: the same place.
      const entry = symbols.lookup('startup_64');
      const home = kernel.segments.find(({ paddr, memsz }) => kernel.entry >= paddr && kernel.entry < paddr + memsz);
      assert.equal(entry, home && home.vaddr + BigInt(kernel.entry - home.paddr));
      const installer = symbols.lookup('kvm_init_platform');
      assert.ok(installer);
      assert.deepEqual(symbols.symbolAt(installer + 3n), { name: 'kvm_init_platform', offset: 3 });
    });

  test('does not report when its command line says nopv', needsAsset('kernel-6.12-cloud'), () => {
    const path = assetPath('kernel-6.12-cloud') ?? '';
    const { verdict } = inspectKernelFile(path, { commandLine: 'console=ttyS0 nopv' });
    assert.equal(verdict.statements['reports-conversions'].answer, 'no');
    assert.equal(verdict.statements['sev-guest'].answer, 'yes');
  });
});

const inspected = new Map<string, Inspection>();

function inspect(id: string): Inspection {
  let inspection = inspected.get(id);
  if (inspection === undefined) {
    inspection = inspectKernelFile(assetPath(id) ?? '');
    inspected.set(id, inspection);
  }
  return inspection;
}
