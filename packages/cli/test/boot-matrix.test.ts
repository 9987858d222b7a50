import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { bootedAndSpoke } from './boot-matrix/booted-and-spoke.ts';
import { type BootCase, GUEST_MEMFD, LEGACY, MATRIX, nameOf } from './boot-matrix/cases.ts';
import type { CaseResult } from './boot-matrix/driver.ts';
import { missingFor, runInTestHost } from './boot-matrix/in-test-host.ts';

const MIB = 2 ** 20;

function suite(
  host: 'host-6.12' | 'host-newest',
  cases: readonly BootCase[],
  check: (c: BootCase, r: CaseResult) => void,
) {
  const skip = missingFor(host, cases);
  let results: readonly (CaseResult | undefined)[] = [];
  before(async () => {
    if (skip === false) results = await runInTestHost(host, cases);
  });
  cases.forEach((bootCase, index) => {
    test(nameOf(bootCase), { skip }, (t) => {
      const result = results[index];
      bootedAndSpoke(result);
      t.diagnostic(`${result.seconds.toFixed(1)} s, ${JSON.stringify(result.report?.figures)}`);
      check(bootCase, result);
    });
  });
}

describe('Debian kernels in a test host boot to a shell as every type they may have', () => {
  suite('host-6.12', MATRIX, ({ kernel, type }, { console, report, lies, banner }) => {
    const figures = report?.figures;
    assert.ok(report !== undefined && figures !== undefined);
    const sev = type.startsWith('sev');
    assert.equal(/Memory Encryption Features active:.*SEV/.test(console), sev);
    assert.equal(report.mark, sev ? 'SHAPED' : '');
    assert.equal(report.confidential, false);
    assert.deepEqual(lies, []);
    switch (type) {
      case 'standard':
        assert.equal(figures.pinned, 0);
        assert.ok(figures.resident < 400 * MIB);
        return;
      case 'standard-pinned':
      case 'sev':
        assert.ok(figures.pinned >= figures.nominal, `${figures.pinned} pinned`);
        assert.ok(figures.unmovable >= figures.nominal);
        return;
      case 'sev-deferred':
        assert.ok(figures.pinned > 16 * MIB && figures.pinned < figures.nominal, `${figures.pinned} pinned`);
        return;
      case 'sev-upm':
        assert.equal(figures.pinned, 0);
        assert.ok(figures.resident < 400 * MIB);
        assert.ok((banner.private ?? 0) > 0, 'no banner on the private side');
        assert.equal(banner.shared, 0, 'the banner is on the shared side');
        assert.ok(
          figures.conversions > (kernel === 'kernel-6.12-cloud' ? 500 : 100),
          `${figures.conversions} conversions`,
        );
        return;
      case 'standard-gmem':
      case 'sev-es':
      case 'sev-es-upm':
      case 'sev-snp':
      case 'sw-protected':
        assert.fail(`no expectation for ${type}`);
    }
  });
});

describe('a guest that does not report, on a type that asks for it', () => {
  suite('host-6.12', LEGACY, ({ kernel, args }, { report, lies }) => {
    assert.ok(report !== undefined);
    if (args?.[0] === '--waive') {
      const clock = lies?.find((lie) => lie.kind === 'host-use');
      assert.ok(clock !== undefined, 'no lie was named');
      assert.match(clock.hostUse ?? '', /clock/);
      assert.match(clock.symbol ?? '', /^native_write_msr\+0x/);
      assert.ok(clock.gpa > 0 && clock.onHardware.length > 0 && BigInt(clock.rip) > 0n);
      return;
    }
    assert.ok(report.probation !== undefined);
    if (kernel === 'kernel-5.10-cloud') {
      assert.equal(report.type, 'sev');
      assert.ok(report.figures.pinned >= report.figures.nominal);
    } else {
      assert.equal(report.type, 'sev-upm');
      assert.equal(report.figures.pinned, 0);
    }
  });
});

describe('on a KVM that has guest_memfd for ordinary VMs', () => {
  suite('host-newest', GUEST_MEMFD, ({ type }, { report, lies, banner }) => {
    assert.ok(report !== undefined);
    assert.deepEqual(lies, []);
    if (type === 'sev-upm' || type === 'standard-gmem') {
      assert.equal(report.privateMemory, 'guest_memfd');
      assert.equal(report.figures.pinned, 0);
    }
    if (type === 'sev-upm') assert.equal(banner.shared, 0, 'the banner is on the shared side');
    if (type === 'sev-upm') assert.ok(report.figures.unmovable >= report.figures.private && report.figures.private > 0);
  });
});
