import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type DecisionMessage, type DesiredVm, UnpinError } from '@unpin/contract';
import { decide, regimeOf, vmType } from '@unpin/policy';
import { probeVerdict } from '../src/inspection/probe-verdict.ts';
import { launchOrder } from '../src/vms/launch-order.ts';

const honest = probeVerdict('honest', '0.1.0');
const silent = probeVerdict('silent', '0.1.0');
const waiver = { by: 'ann', reason: 'a test' };

function desired(change: Partial<DesiredVm> = {}): DesiredVm {
  return {
    name: 'web',
    uid: 'u',
    desired: 'running',
    image: 'probe',
    boot: { kind: 'probe', flavour: 'honest' },
    bootSet: honest.bootSet.digest,
    type: 'sev-upm',
    execution: 'shaped',
    memoryBytes: 2 ** 26,
    decision: decide(vmType('sev-upm'), honest) as DecisionMessage,
    ...change,
  };
}

function refusal(vm: DesiredVm, verdict = honest): string {
  try {
    launchOrder(vm, { verdict });
  } catch (error) {
    assert.ok(error instanceof UnpinError);
    return error.code;
  }
  return 'none';
}

describe('a launch order', () => {
  test('carries the regime that the type resolves to', () => {
    assert.deepEqual(launchOrder(desired(), { verdict: honest }).regime, regimeOf(vmType('sev-upm')));
  });

  test('carries the fallback and its regime for a VM on probation', () => {
    const decision = decide(vmType('sev-upm'), silent) as DecisionMessage;
    const vm = desired({ bootSet: silent.bootSet.digest, decision, probation: { fallback: 'sev' } });
    assert.deepEqual(launchOrder(vm, { verdict: silent }).probation, {
      fallback: 'sev',
      fallbackRegime: regimeOf(vmType('sev')),
    });
  });

  test('carries the digests that were judged, so that the VMM boots these very bytes', () => {
    const bootSet = {
      digest: 'd',
      kernel: { name: '/k', sha256: 'kk', bytes: 1 },
      initrd: { name: '/i', sha256: 'ii', bytes: 1 },
    };
    const boot = { kind: 'linux', kernel: '/k', initrd: '/i', commandLine: 'quiet' } as const;
    assert.deepEqual(launchOrder(desired({ boot, bootSet: 'd' }), { verdict: { ...honest, bootSet } }).boot, {
      kind: 'linux',
      kernel: { path: '/k', sha256: 'kk' },
      initrd: { path: '/i', sha256: 'ii' },
      commandLine: 'quiet',
    });
  });

  test('of a disk image names the files that were taken out of it, and its own command line', () => {
    const boot = { kind: 'disk', path: '/disk.qcow2' } as const;
    const bootSet = { digest: 'd', kernel: { name: 'partition 1 (ext4) /boot/vmlinuz', sha256: 'kk', bytes: 1 } };
    const verdict = { ...honest, bootSet };
    const kernel = { path: '/vm/boot/kernel', sha256: 'kk' };
    const extracted = { kernel, commandLine: 'root=/dev/vda1' };
    assert.deepEqual(launchOrder(desired({ boot, bootSet: 'd' }), { verdict, extracted }).boot, {
      kind: 'linux',
      kernel,
      commandLine: 'root=/dev/vda1',
    });
    assert.throws(() => launchOrder(desired({ boot, bootSet: 'd' }), { verdict }), UnpinError);
  });

  test('is not written for another boot set', () => {
    assert.equal(refusal(desired({ bootSet: 'another' })), 'BOOT_SET_CHANGED');
  });

  test('is not written where this host comes to another decision', () => {
    const admitted = decide(vmType('sev-upm'), honest) as DecisionMessage;
    const vm = desired({ bootSet: silent.bootSet.digest, decision: admitted });
    assert.equal(refusal(vm, silent), 'ADMISSION_REFUSED');
  });

  test('is written for a decision that a waiver made, and not without the waiver', () => {
    const decision = decide(vmType('sev-upm'), silent, waiver) as DecisionMessage;
    const waived = desired({ bootSet: silent.bootSet.digest, decision });
    assert.equal(refusal(waived, silent), 'none');
    const { waiver: _, ...without } = decision;
    assert.equal(refusal({ ...waived, decision: without }, silent), 'ADMISSION_REFUSED');
  });
});
