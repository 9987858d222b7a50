import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Verdict } from '@unpin/policy';
import { type AssetId, assetPath, findAsset } from '@unpin/test-host';
import { imageOf } from '../../image/test/image-set/build.ts';
import { ROWS, recipeOf } from '../../image/test/image-set/table.ts';
import { needsDiskTools } from '../../image/test/tools.ts';
import { type Comparison, compareRun, exitOfRun, type Run } from '../src/local/verify/compare-run.ts';
import { milestonesOf } from '../src/local/verify/milestones.ts';
import { unpin } from './unpin.ts';

interface Answer {
  readonly run: Run;
  readonly comparisons: readonly Comparison[];
  readonly verdict: Verdict;
}

async function verified(kernel: AssetId, ...more: readonly string[]): Promise<{ code: number } & Answer> {
  const args = ['--json', 'image', 'verify', assetPath(kernel), '--kvm', 'software', '--memory', '256M', ...more];
  const { code, stdout, stderr } = await unpin(args);
  assert.notEqual(stdout, '', stderr);
  return { code, ...(JSON.parse(stdout) as Answer) };
}

const needs = (id: AssetId): string | false => findAsset(id) === undefined && `needs ${id}: unpin test-host fetch`;

describe('unpin image verify, by the software KVM', () => {
  test('Debian 6.12 does what was read: it reports, rightly, up to the root that it lacks', {
    skip: needs('kernel-6.12-cloud'),
  }, async () => {
    const { code, run, comparisons, verdict } = await verified('kernel-6.12-cloud');
    assert.equal(code, 0);
    assert.equal(run.milestones.end?.kind, 'no-root');
    assert.ok(run.report.figures.conversions > 100);
    assert.equal(run.lies.length, 0);
    assert.match(run.conversions[0]?.symbol ?? '', /^kvm_init_platform/);
    assert.deepEqual(
      comparisons.map(({ outcome }) => outcome),
      ['agrees', 'agrees', 'agrees'],
    );
    assert.ok(verdict.statements['reports-correctly'].evidence.some(({ signal }) => signal === 'run-as-sev'));
  });

  test('Debian 5.10 does what was read: it reports nothing, and the byte that it loses is named', {
    skip: needs('kernel-5.10-cloud'),
  }, async () => {
    const { code, run, comparisons } = await verified('kernel-5.10-cloud');
    assert.equal(code, 0);
    assert.equal(run.report.figures.conversions, 0);
    assert.equal(run.lies[0]?.hostUse, 'kvm-clock');
    assert.deepEqual(
      comparisons.map(({ said, did }) => [said, did]),
      [
        ['yes', 'yes'],
        ['no', 'no'],
        ['no', 'no'],
      ],
    );
  });

  const row = ROWS.find(({ id }) => id === 'debian12-cloud-gpt-qcow2-zlib');
  test('of a disk image its boot set runs, with the command line of its loader', {
    skip: needsDiskTools().skip || needs('kernel-6.1-cloud'),
  }, async () => {
    assert.ok(row !== undefined);
    const { code, stdout, stderr } = await unpin([
      '--json',
      'image',
      'verify',
      imageOf(recipeOf(row)),
      '--kvm',
      'software',
      '--memory',
      '256M',
    ]);
    assert.equal(code, 0, stderr);
    const { run, verdict } = JSON.parse(stdout) as Answer;
    assert.match(verdict.bootSet.commandLine ?? '', /root=UUID=/);
    assert.equal(run.milestones.end?.kind, 'no-root');
    assert.match(run.milestones.end?.line ?? '', /UUID=/);
  });

  test('nopv keeps Debian 6.12 from reporting, as the verdict on that command line says', {
    skip: needs('kernel-6.12-cloud'),
  }, async () => {
    const { code, run, comparisons } = await verified('kernel-6.12-cloud', '--command-line', 'nopv');
    assert.equal(run.report.figures.conversions, 0);
    const reports = comparisons.find(({ statement }) => statement === 'reports-conversions');
    assert.deepEqual([reports?.said, reports?.did], ['no', 'no']);
    assert.equal(code, 0);
  });
});

const finding = (answer: 'yes' | 'no' | 'unknown') => ({
  answer,
  level: 'proven' as const,
  summary: '',
  evidence: [],
});
const verdictOf = (reports: 'yes' | 'no' | 'unknown'): Verdict =>
  ({
    statements: {
      'sev-guest': finding('yes'),
      'reports-conversions': finding(reports),
      'reports-correctly': finding(reports),
    },
  }) as unknown as Verdict;
const runOf = (conversions: number, stage: Run['milestones']['stage']): Run =>
  ({
    report: { figures: { conversions }, wrongViewAccesses: 0 },
    lies: [],
    conversions: [],
    milestones: { stage, end: undefined, lastLine: '' },
  }) as unknown as Run;

describe('a run beside a verdict', () => {
  test('contradicts it where a kernel that was said to report does not', () => {
    const comparisons = compareRun(verdictOf('yes'), runOf(0, 'sev-active'));
    assert.equal(comparisons[1]?.outcome, 'contradicts');
    assert.equal(exitOfRun(comparisons), 1);
  });

  test('contradicts it where a kernel that was said not to report does', () => {
    assert.equal(exitOfRun(compareRun(verdictOf('no'), runOf(3, 'sev-active'))), 1);
  });

  test('says nothing where the kernel never spoke', () => {
    const comparisons = compareRun(verdictOf('yes'), runOf(0, 'nothing'));
    assert.ok(comparisons.every(({ did }) => did === 'untold'));
    assert.equal(exitOfRun(comparisons), 2);
  });

  test('adds to it where nothing was known', () => {
    const comparisons = compareRun(verdictOf('unknown'), runOf(3, 'initialised'));
    assert.deepEqual(
      comparisons.map(({ outcome }) => outcome),
      ['agrees', 'new', 'new'],
    );
    assert.equal(exitOfRun(comparisons), 2);
  });
});

describe('how far a boot came', () => {
  test('is read off its console', () => {
    assert.equal(milestonesOf('').stage, 'nothing');
    assert.equal(milestonesOf('[ 0.0] Linux version 6.12.0 (x)\r\n').stage, 'kernel');
    const active = '[    0.1] Linux version 6.1\n[ 0.2] Memory Encryption Features active: AMD SEV\n';
    assert.equal(milestonesOf(active).stage, 'sev-active');
    assert.equal(milestonesOf(`${active}[ 1.0] Run /init as init process\n`).stage, 'initialised');
    assert.equal(
      milestonesOf(`${active}[ 1.0] Run /init as init process\nLoading, please wait...\n`).stage,
      'user-space',
    );
  });

  test('a panic for want of a root filesystem is no other panic', () => {
    const console =
      '[ 1.0] VFS: Unable to mount root fs on unknown-block(0,0)\n[ 1.1] Kernel panic - not syncing: VFS: x\n';
    assert.deepEqual([milestonesOf(console).end?.kind, milestonesOf(console).stage], ['no-root', 'initialised']);
    assert.equal(milestonesOf('[ 1.1] Kernel panic - not syncing: Fatal exception\n').end?.kind, 'panic');
  });
});
