/** The symbols of Debian's kernels. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeKallsyms, inspectKernelFile } from '../src/index.ts';
import { assetPath, needsAsset } from './assets.ts';

const KERNELS = [
  'kernel-5.10-cloud',
  'kernel-6.1-cloud',
  'kernel-6.1-generic',
  'kernel-6.12-cloud',
  'host-6.12',
  'host-newest',
];

describe('a kernel of Debian', () => {
  for (const id of KERNELS)
    test(`${id} has symbols that fit its image`, needsAsset(id), () => {
      const { kernel } = inspectKernelFile(assetPath(id) ?? '');
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
});
