import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AssetId } from '@unpin/test-host';
import { assetPath, findAsset } from '@unpin/test-host';
import { bootedAndSpoke } from './booted-and-spoke.ts';
import { type BootCase, nameOf } from './cases.ts';
import { type CaseResult, runCase } from './driver.ts';

const MIB = 2 ** 20;
/** By the software KVM, whatever this machine has. A bound on what hangs: a boot takes ten seconds on a core of its own. */
const ARGUMENTS = ['--kvm', 'software', '--timeout', '400'] as const;

/** Why the cases can't be run on this machine, or false. They need no KVM and no test host. */
export function missing(cases: readonly BootCase[]): string | false {
  const needed: AssetId[] = ['initrd-shell', ...cases.map(({ kernel }) => kernel)];
  const absent = [...new Set(needed)].filter((id) => findAsset(id) === undefined);
  return absent.length === 0 ? false : `needs ${absent.join(', ')}: unpin test-host fetch`;
}

/** Boots each case on this machine by the software KVM, in turn, and checks what its type promises. */
export function emulatedBoots(cases: readonly BootCase[]): void {
  const skip = missing(cases);
  describe('Debian kernels on the software KVM boot to a shell', { skip }, () => {
    for (const bootCase of cases)
      test(nameOf(bootCase), async (t) => {
        const result = await boot(bootCase);
        bootedAndSpoke(result);
        t.diagnostic(`${result.seconds.toFixed(1)} s, ${JSON.stringify(result.report?.figures)}`);
        check(bootCase, result);
      });
  });
}

/** Boots a kernel that reports nothing as a type that lives by reports: what becomes of it, and what is told. */
export function emulatedLegacy(): void {
  const kernel = 'kernel-5.10-cloud';
  describe('a kernel that does not report, on the software KVM as sev-upm', {
    skip: missing([{ kernel, type: 'sev-upm' }]),
  }, () => {
    test('never sees its clock, dies of it, and the page and the instruction are named', async () => {
      const args = ['--waive', 'to see it lie', '--append', 'earlyprintk=ttyS0'];
      const { console, report, lies } = await boot({ kernel, type: 'sev-upm', args });
      // KVM writes kvm-clock's page where the guest doesn't look: it divides by the multiplier that it finds there.
      assert.match(console, /early exception 0x00/);
      assert.match(console, /RIP: .*pvclock_tsc_khz/);
      assert.equal(report?.mark, 'EMULATED');
      assert.ok(report.wrongViewAccesses > 100, `${report.wrongViewAccesses} accesses through the wrong view`);
      const [clock] = lies ?? [];
      assert.deepEqual([clock?.kind, clock?.hostUse], ['host-use', 'kvm-clock']);
      assert.match(clock?.symbol ?? '', /^native_write_msr\+0x/);
      assert.match(clock?.onHardware ?? '', /never sees the update/);
    });
  });
}

async function boot(bootCase: BootCase): Promise<CaseResult> {
  const args = [...ARGUMENTS, ...(bootCase.args ?? [])];
  const kernelFile = assetPath(bootCase.kernel);
  return await runCase(0, { ...bootCase, kernelFile, args }, assetPath('initrd-shell'));
}

function check({ kernel, type }: BootCase, { console, report, lies }: CaseResult): void {
  assert.ok(report !== undefined);
  const { figures } = report;
  const sev = type.startsWith('sev');
  assert.equal(/Memory Encryption Features active:.*SEV/.test(console), sev);
  assert.equal(report.execution, 'emulated');
  assert.equal(report.mark, 'EMULATED');
  assert.equal(report.confidential, false);
  assert.deepEqual(lies, []);
  assert.equal(report.lies, 0);
  assert.equal(figures.nominal, 512 * MIB);
  switch (type) {
    case 'standard':
      assert.equal(figures.pinned, 0);
      assert.ok(figures.resident < 160 * MIB, `${figures.resident} resident`);
      return;
    case 'standard-pinned':
    case 'sev':
      assert.equal(figures.pinned, figures.nominal);
      assert.equal(figures.resident, figures.nominal);
      return;
    case 'sev-deferred':
      assert.ok(figures.pinned > 16 * MIB && figures.pinned < figures.nominal, `${figures.pinned} pinned`);
      return;
    case 'sev-upm':
      if (report.type === 'sev') {
        assert.match(report.probation ?? '', /^failed: .*kvm-clock.* started again pinned, as sev$/);
        assert.equal(figures.pinned, figures.nominal);
        return;
      }
      assert.equal(figures.pinned, 0);
      assert.ok(figures.resident < 160 * MIB, `${figures.resident} resident`);
      assert.equal(figures.unmovable, figures.private, 'private pages are unmovable');
      assert.equal(report.privateMemory, 'guest_memfd');
      assert.ok(figures.conversions > (kernel === 'kernel-6.12-cloud' ? 500 : 100), `${figures.conversions} reported`);
      // It clears .bss..decrypted through the shared view before it reports it, which is no lie.
      assert.ok(report.wrongViewAccesses > 100, `${report.wrongViewAccesses} accesses through the wrong view`);
      return;
    case 'standard-gmem':
    case 'sev-es':
    case 'sev-es-upm':
    case 'sev-snp':
    case 'sw-protected':
      assert.fail(`no expectation for ${type}`);
  }
}
