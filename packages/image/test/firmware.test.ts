import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import type { FirmwareStatementId } from '@unpin/policy';
import * as fc from 'fast-check';
import { inspectFirmware, inspectFirmwareFile } from '../src/index.ts';
import { assetPath, needsAsset } from './assets.ts';
import { type FirmwareTraits, syntheticFirmware } from './synthetic/firmware.ts';

const IDS = [
  'firmware-sev',
  'firmware-sev-es',
  'firmware-snp',
  'firmware-tdx',
  'firmware-kernel-hashes',
] as const satisfies readonly FirmwareStatementId[];
const [Y, N] = ['yes proven', 'no proven'];

/** What Debian's builds are, in the order of IDS; none reports, none announces live migration. */
const BUILDS: readonly (readonly [asset: string, file: string | undefined, expected: readonly string[]])[] = [
  ['ovmf-bullseye', 'OVMF_CODE.fd', [Y, Y, N, N, N]],
  // Has the entry for SEV-ES, and no code that speaks to the VMM.
  ['ovmf-bullseye', 'OVMF_CODE_4M.fd', [N, N, N, N, N]],
  ['ovmf-bookworm', 'OVMF_CODE.fd', [Y, Y, Y, Y, N]],
  ['ovmf-bookworm', 'OVMF_CODE_4M.fd', [Y, Y, N, N, N]],
  ['ovmf-trixie', 'OVMF_CODE_4M.fd', [Y, Y, Y, Y, N]],
  ['ovmf-sid', 'OVMF_CODE_4M.fd', [Y, Y, Y, Y, Y]],
  ['ovmf-sid-amdsev', undefined, [Y, Y, Y, Y, Y]],
  // Has the list of SNP's pages, and no code that validates one.
  ['ovmf-sid-inteltdx', undefined, [Y, Y, N, Y, N]],
];

describe('firmware of Debian', () => {
  for (const [asset, file, expected] of BUILDS)
    test(`${asset}${file === undefined ? '' : `, ${file}`} gets its verdict`, needsAsset(asset), () => {
      const named = assetPath(asset) ?? '';
      const path = file === undefined ? named : join(dirname(named), file);
      assert.ok(existsSync(path));
      const verdict = inspectFirmwareFile(path);
      assert.deepEqual(
        IDS.map((id) => answer(verdict, id)),
        expected,
      );
      assert.equal(answer(verdict, 'firmware-reports-conversions'), N);
      assert.equal(answer(verdict, 'firmware-live-migration'), N);
      assert.deepEqual(verdict.obstacles, []);
    });
});

describe('firmware', () => {
  cases('firmware-sev', [
    ['asks for the C bit', {}, Y],
    ['does not', { sevCode: false }, N],
  ]);
  cases('firmware-sev-es', [
    ['entry and code', {}, Y],
    ['the entry alone, without a footer', { footer: false }, Y],
    ['entry without code', { esCode: false }, N],
    ['code without entry', { esEntry: false }, N],
    ['an entry that cannot be read before it', { esEntry: false, broken: 'size' }, 'no inferred'],
  ]);
  cases('firmware-snp', [
    ['list and code', {}, Y],
    ['list without code', { snpCode: false }, N],
    ['a list without the CPUID page', { snpSections: [1, 2] }, N],
    ['no list', { snpSections: 'none' }, N],
    ['a list that leads out of the file', { broken: 'sev-distance' }, 'no inferred'],
    ['a list with more sections than there is room', { broken: 'sev-count' }, 'no inferred'],
  ]);
  cases('firmware-tdx', [
    ['list and code', {}, Y],
    ['list without code', { tdxCode: false }, N],
    ['no list', { tdx: false }, N],
  ]);
  cases('firmware-kernel-hashes', [
    ['a place', {}, Y],
    ['an empty place', { hashes: 'empty' }, N],
    ['no place', { hashes: 'none' }, N],
  ]);
  cases('firmware-reports-conversions', [
    ['no hypercall anywhere', {}, N],
    ['a hypercall in the packed volume', { volume: 'hypercall' }, 'yes inferred'],
    ['another hypercall there', { volume: 'other-hypercall' }, N],
    ['no packed volume', { volume: 'none' }, 'no inferred'],
    ['a packed volume that is broken', { volume: 'broken' }, 'no inferred'],
    ['a packed volume of 4 GiB', { volume: 'huge' }, 'no inferred'],
  ]);
  cases('firmware-live-migration', [
    ['no variable', {}, N],
    ['the variable in the packed volume', { volume: 'variable' }, 'yes inferred'],
  ]);

  test('of another family is unknown, and says why', () => {
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.alloc(49),
      Buffer.alloc(65_536),
      Buffer.from('text of any kind'.repeat(9)),
    ]) {
      const { statements, obstacles } = inspectFirmware(bytes, 'f');
      for (const finding of Object.values(statements)) assert.equal(finding.answer, 'unknown');
      assert.match(obstacles[0] ?? '', /no table of GUIDs/);
    }
  });

  test('ends with a verdict whatever its bytes are', () => {
    const whole = syntheticFirmware({});
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 12 }),
        fc.nat(whole.length),
        (changes, cut) => {
          const bytes = Buffer.from(whole);
          // Most of what can break stands near the end.
          for (const [at, value] of changes) bytes[at % 2 === 0 ? at : bytes.length - 1 - (at % 600)] = value;
          for (const each of [bytes, bytes.subarray(cut)])
            assert.equal(Object.keys(inspectFirmware(each, 'f').statements).length, IDS.length + 2);
        },
      ),
    );
  });
});

function answer(verdict: ReturnType<typeof inspectFirmware>, id: FirmwareStatementId): string {
  const finding = verdict.statements[id];
  return `${finding.answer} ${finding.level}`;
}

/** A table of cases for one statement. */
function cases(id: FirmwareStatementId, rows: readonly (readonly [string, FirmwareTraits, string])[]): void {
  for (const [name, traits, expected] of rows)
    test(`${id}, ${name}: ${expected}`, () => {
      assert.equal(answer(inspectFirmware(syntheticFirmware(traits), 'f'), id), expected);
    });
}
