import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kibFields } from '../../src/figures/host-facts.ts';
import { machineFigures } from '../../src/figures/machine-figures.ts';

const MEMORY = { nominal: 8, resident: 8, private: 8, shared: 0, pinned: 0, unmovable: 0 };

test('what KVM pins by itself counts as pinned and unmovable', () => {
  assert.deepEqual(machineFigures(MEMORY, 8), { ...MEMORY, pinned: 8, unmovable: 8 });
  assert.deepEqual(machineFigures({ ...MEMORY, pinned: 2, unmovable: 4 }, 0), { ...MEMORY, pinned: 2, unmovable: 4 });
});

test('lines of /proc files in kB are read as bytes, others are left out', () => {
  const fields = kibFields('MemTotal:       24684092 kB\nHugePages_Total:       0\nVmPin:\t       4 kB\n');
  assert.deepEqual(
    [...fields],
    [
      ['MemTotal', 24684092 * 1024],
      ['VmPin', 4096],
    ],
  );
});
