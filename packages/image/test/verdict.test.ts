import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { StatementId } from '@unpin/policy';
import { type InspectOptions, inspectKernel } from '../src/index.ts';
import { bzImage } from './synthetic/bz-image.ts';
import { type KernelTraits, syntheticKernel } from './synthetic/kernel.ts';

/** 'yes proven', by statement. */
function judge(traits: KernelTraits, id: StatementId, options?: InspectOptions): string {
  const finding = inspectKernel(syntheticKernel(traits), 'kernel', options).verdict.statements[id];
  return finding.answer === 'unknown' ? finding.level : `${finding.answer} ${finding.level}`;
}

/** A table of cases for one statement. */
function cases(id: StatementId, table: readonly (readonly [string, KernelTraits, string, InspectOptions?])[]): void {
  describe(id, () => {
    for (const [name, traits, expected, options] of table)
      test(`${name}: ${expected}`, () => assert.equal(judge(traits, id, options), expected));
  });
}

/** What a kernel looks like that was built before the hypercall came. */
const OLD: KernelTraits = {
  reportingCode: 'none',
  hook: 'none',
  callSite: false,
  prototype: 'none',
  rangeCall: 'none',
};

cases('reports-conversions', [
  ['code, mask, hook and call site', {}, 'yes proven'],
  ['the same without symbols', { symbols: 'none' }, 'yes proven'],
  ['the same without a section table', { symbols: 'none', sections: false }, 'yes proven'],
  ['no code, and symbols that have the installer but not the function', OLD, 'no proven'],
  ['no code and no symbols', { ...OLD, symbols: 'none' }, 'no inferred'],
  ['no code, symbols without the installer', { ...OLD, installerSymbol: false }, 'no inferred'],
  ['the same, and the table is whole', { ...OLD, installerSymbol: false, beginningSymbol: true }, 'no proven'],
  ['AMD call site but no KVM guest code', { ...OLD, callSite: true, installerSymbol: false }, 'no inferred'],
  ['KVM guest code but no AMD call site (a kernel for TDX only)', { callSite: false }, 'no inferred'],
  ['code with a shift instead of the mask', { reportingCode: 'shifted' }, 'yes proven'],
  ['the ABI before upstream, without either', { reportingCode: 'unmasked' }, 'unknown'],
  ['no hook', { hook: 'none' }, 'yes inferred'],
  ['a hook that installs a later function', { hook: 'installs-later' }, 'yes inferred'],
  ['a hook that installs an earlier function', { hook: 'installs-earlier' }, 'yes inferred'],
  ['the code twice', { reportingCopies: 2 }, 'yes inferred'],
  ['nopv on the command line', {}, 'no proven', { commandLine: 'root=/dev/vda1 nopv quiet' }],
  ['nopv on the command line of an old kernel', OLD, 'no proven', { commandLine: 'nopv' }],
  ['nopv for init', {}, 'yes proven', { commandLine: 'quiet -- nopv' }],
  ['a word that only ends in nopv', {}, 'yes proven', { commandLine: 'not_nopv' }],
  ['nopv with a value', {}, 'no proven', { commandLine: 'nopv=0' }],
  ['nopv in quotes of its own', {}, 'no proven', { commandLine: 'a="b c" "nopv"' }],
  ['nopv within quotes of another word', {}, 'yes proven', { commandLine: 'dyndbg="file a +p nopv x" quiet' }],
  ['xen_nopv, which counts on Xen only', { parameters: ['xen_nopv'] }, 'yes proven', { commandLine: 'xen_nopv' }],
  ['the hypervisor bit cleared by number', {}, 'no inferred', { commandLine: 'clearcpuid=12,159' }],
  ['the hypervisor bit cleared by name', {}, 'no inferred', { commandLine: 'clearcpuid=hypervisor' }],
  ['another bit cleared', {}, 'yes proven', { commandLine: 'clearcpuid=514' }],
  ['mem_encrypt=off, which rules the host side only', {}, 'yes proven', { commandLine: 'mem_encrypt=off' }],
]);

cases('reports-correctly', [
  ['a size by prototype and code', {}, 'yes proven'],
  ['a size by prototype alone', { rangeCall: 'none' }, 'yes proven'],
  ['pages by prototype', { prototype: 'npages', rangeCall: 'pages' }, 'no proven'],
  ['pages by prototype alone', { prototype: 'npages', rangeCall: 'none' }, 'no proven'],
  ['pages by prototype, a size by code', { prototype: 'npages' }, 'unknown'],
  ['no prototype, a size at both ends of the call', { prototype: 'none' }, 'yes proven'],
  ['the same without symbols', { prototype: 'none', symbols: 'none' }, 'yes proven'],
  ['no prototype, a size added up', { prototype: 'none', rangeEnd: 'sum' }, 'yes proven'],
  ['no prototype, a size at one end', { prototype: 'none', rangeEnd: 'none' }, 'yes inferred'],
  ['no prototype, pages at both ends', { prototype: 'none', rangeCall: 'pages' }, 'no proven'],
  ['no prototype, pages at one end', { prototype: 'none', rangeCall: 'pages', rangeEnd: 'none' }, 'no inferred'],
  ['no prototype, ends that contradict each other', { prototype: 'none', rangeEnd: 'pages' }, 'unknown'],
  ['neither prototype nor code', { prototype: 'none', rangeCall: 'none' }, 'unknown'],
  ['a size by prototype, pages by code', { rangeCall: 'pages' }, 'unknown'],
  ['a size, but reporting is only inferred', { reportingCopies: 2 }, 'yes inferred'],
  ['no reports at all', OLD, 'no proven'],
  ['unknown whether it reports', { reportingCode: 'unmasked' }, 'unknown'],
]);

cases('sev-guest', [
  ['MSR read and feature name', {}, 'yes proven'],
  ['MSR read alone', { sev: 'code' }, 'yes inferred'],
  ['feature name alone, as in kernels for TDX only', { sev: 'text' }, 'no proven'],
  ['feature name alone, without symbols', { sev: 'text', symbols: 'none' }, 'unknown'],
  ['neither, and no symbol', { sev: 'none' }, 'no proven'],
  ['neither, without symbols', { sev: 'none', symbols: 'none' }, 'no inferred'],
]);

cases('sev-es-guest', [
  ['VMGEXIT, #VC gate and handler', {}, 'yes proven'],
  ['VMGEXIT and #VC gate', { vcText: false }, 'yes proven'],
  ['VMGEXIT and #VC handler', { vcGate: false }, 'yes proven'],
  ['VMGEXIT alone', { vcGate: false, vcText: false }, 'yes inferred'],
  ['#VC gate alone', { sevEs: false, pageStates: 'none', vcGate: true, symbols: 'none' }, 'unknown'],
  ['neither, and no symbol', { sevEs: false }, 'no proven'],
  ['neither, without symbols', { sevEs: false, symbols: 'none' }, 'no inferred'],
]);

cases('snp-guest', [
  ['PVALIDATE and CPUID table', {}, 'yes proven'],
  ['neither, and no symbol', { snp: false }, 'no proven'],
  ['neither, without symbols', { snp: false, symbols: 'none' }, 'no inferred'],
]);

cases('page-state-changes', [
  ['by MSR, by GHCB page, and PVALIDATE', {}, 'yes proven'],
  ['the same without symbols', { symbols: 'none' }, 'yes proven'],
  ['by MSR only', { pageStates: 'request' }, 'yes inferred'],
  ['by GHCB page only', { pageStates: 'event' }, 'yes inferred'],
  ['none, and no symbol', { snp: false, pageStates: 'none' }, 'no proven'],
  ['the number alone', { snp: false, pageStates: 'number' }, 'no proven'],
  ['none, without symbols', { snp: false, pageStates: 'none', symbols: 'none' }, 'no inferred'],
]);

cases('tdx-guest', [
  ['TDCALL and the name as text', {}, 'yes proven'],
  ['TDCALL and the name in the code', { tdx: 'numbers' }, 'yes proven'],
  ['TDCALL alone', { tdx: 'call' }, 'yes inferred'],
  ['the name alone', { tdx: 'name', symbols: 'none' }, 'unknown'],
  ['the symbol alone', { tdx: 'name' }, 'yes inferred'],
  ['neither, and no symbol', { tdx: 'none' }, 'no proven'],
  ['neither, without symbols', { tdx: 'none', symbols: 'none' }, 'no inferred'],
]);

cases('unaccepted-memory', [
  ['EFI table and parameter', {}, 'yes proven'],
  ['EFI table alone', { unaccepted: 'table' }, 'yes inferred'],
  ['parameter alone', { unaccepted: 'parameter', symbols: 'none' }, 'unknown'],
  ['neither, and no symbol', { unaccepted: 'none' }, 'no proven'],
  ['neither, without symbols', { unaccepted: 'none', symbols: 'none' }, 'no inferred'],
  ['eager by command line', {}, 'no proven', { commandLine: 'quiet accept_memory=eager' }],
  ['lazy by command line', {}, 'yes proven', { commandLine: 'accept_memory=lazy' }],
  ['first eager, then lazy', {}, 'yes proven', { commandLine: 'accept_memory=eager accept_memory=lazy' }],
  ['a word that it does not know', {}, 'yes proven', { commandLine: 'accept_memory=never' }],
]);

describe('evidence', () => {
  test('names the place by symbol where the kernel has symbols, by file offset else', () => {
    assert.deepEqual(where({}), ['kvm_sev_hc_page_enc_status', 'kvm_init_platform', 'vmlinux', 'kallsyms']);
    assert.deepEqual(where({ symbols: 'none' }), ['vmlinux', 'vmlinux', 'vmlinux']);
  });

  test('leads to the bytes that it speaks of', () => {
    const kernel = syntheticKernel({ symbols: 'none' });
    const [code] = inspectKernel(kernel, 'k').verdict.statements['reports-conversions'].evidence;
    assert.equal(code?.signal, 'hypercall-code');
    assert.deepEqual([...kernel.subarray(code.offset, (code.offset ?? 0) + 5)], [0xb8, 12, 0, 0, 0]);
  });
});

describe('what cannot be read', () => {
  for (const [name, bytes, code] of [
    ['text', Buffer.from('nothing of the kind'), 'not-a-kernel'],
    ['HdrS without a payload', bzImage(Buffer.alloc(0)), 'not-a-kernel'],
    ['a compression that is not supported', bzImage(Buffer.from('LRZI............')), 'unsupported'],
    ['an ELF that is no Linux', syntheticKernel({ banner: undefined }), 'not-a-kernel'],
  ] as const)
    test(`${name}: every statement is unknown, and the obstacle says why`, () => {
      const { verdict, problem, kernel } = inspectKernel(bytes, 'file');
      assert.equal(problem?.kind, code);
      assert.equal(kernel, undefined);
      assert.deepEqual(verdict.obstacles, [problem.message]);
      for (const finding of Object.values(verdict.statements)) {
        assert.equal(finding.answer, 'unknown');
        assert.equal(finding.level, 'unknown');
      }
    });

  test('a 32-bit kernel is read: every statement is a proven no', () => {
    const bytes = syntheticKernel();
    bytes.writeUInt16LE(3, 18);
    bytes[4] = 1;
    const { verdict, problem } = inspectKernel(bytes, 'file');
    assert.equal(problem, undefined);
    assert.match(verdict.kernel.banner ?? '', /6\.0-test/);
    for (const finding of Object.values(verdict.statements))
      assert.equal(`${finding.answer} ${finding.level}`, 'no proven');
  });
});

describe('a boot set', () => {
  const kernel = syntheticKernel();

  test('has the same digest for the same bytes and command line, under any name', () => {
    assert.equal(digest(kernel), inspectKernel(Buffer.from(kernel), 'other name').verdict.bootSet.digest);
    assert.equal(digest(kernel, { commandLine: 'a' }), digest(kernel, { commandLine: 'a' }));
  });

  test('has another digest when a byte or the command line differs', () => {
    const digests = [
      digest(kernel),
      digest(Buffer.concat([kernel, Buffer.of(0)])),
      digest(kernel, { commandLine: '' }),
      digest(kernel, { commandLine: 'nopv' }),
    ];
    assert.equal(new Set(digests).size, digests.length);
  });
});

/** Where the evidence for reports-conversions was found. */
function where(traits: KernelTraits): string[] {
  const { verdict } = inspectKernel(syntheticKernel(traits), 'k');
  return verdict.statements['reports-conversions'].evidence.map((evidence) => evidence.where);
}

function digest(bytes: Uint8Array, options?: InspectOptions): string {
  return inspectKernel(bytes, 'k', options).verdict.bootSet.digest;
}
