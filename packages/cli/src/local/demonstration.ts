import { globSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { styleText } from 'node:util';
import { type Capabilities, UnpinError, type VmReport } from '@unpin/contract';
import { assetPath, findAsset, TEST_HOST_ASSETS } from '@unpin/test-host';
import { type CompareOptions, compare } from '../commands/compare.ts';
import { comparisonText } from '../render/comparison.ts';
import { verdictText } from '../render/verdict.ts';
import { inspectFile } from './inspect.ts';

interface Options {
  readonly testHost: boolean | undefined;
  readonly signal: AbortSignal;
}

/** What the demonstration runs: a Debian kernel here, the same in a test host, or the probe guest here. */
type Plan =
  | { readonly kind: 'debian'; readonly where: 'here' | 'test-host'; readonly kernel: string; readonly initrd: string }
  | { readonly kind: 'probe'; readonly offer: string }
  | { readonly kind: 'nothing'; readonly why: string };

/**
 * Measured, not computed: the verdict on a kernel file, and the same guest as `sev` and as `sev-upm` side by side.
 * A failure is told and does not keep the servers from serving.
 */
export async function demonstrate(capabilities: Capabilities, options: Options): Promise<void> {
  try {
    write(verdictPart());
    const plan = choosePlan(capabilities, options.testHost === true);
    write(`\n${styleText('bold', 'the same guest, pinned and not')}  ${describe(plan)}`);
    if (plan.kind === 'nothing' || options.signal.aborted) return;
    write(`${comparisonText(await measure(plan, options.signal))}\n`);
  } catch (thrown) {
    if (options.signal.aborted) return;
    const error = UnpinError.from(thrown);
    write(`the demonstration failed: ${error.code} ${error.message}\n`);
  }
}

function write(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** The verdict on a kernel of this machine, or the one command that gets a kernel. */
function verdictPart(): string {
  const own = globSync(['/boot/vmlinuz*', '/vmlinuz', '/usr/lib/modules/*/vmlinuz']).sort().at(-1);
  const kernel = own ?? (findAsset('kernel-6.12-cloud') === undefined ? undefined : assetPath('kernel-6.12-cloud'));
  if (kernel === undefined)
    return `no kernel file here to judge; this gets one:  unpin test-host fetch kernel-6.12-cloud`;
  return verdictText(inspectFile(kernel), false);
}

function choosePlan(capabilities: Capabilities, asked: boolean): Plan {
  const guest = findAsset('kernel-6.12-cloud') !== undefined && findAsset('initrd-shell') !== undefined;
  const host = TEST_HOST_ASSETS.every((id) => findAsset(id) !== undefined);
  const runs = (type: string): boolean => capabilities.types.some((t) => t.type === type && t.ways.length > 0);
  if (guest && (capabilities.kvm.bootsLinux || host))
    return {
      kind: 'debian',
      where: capabilities.kvm.bootsLinux && !asked ? 'here' : 'test-host',
      kernel: assetPath('kernel-6.12-cloud'),
      initrd: assetPath('initrd-shell'),
    };
  const fetch = `unpin test-host fetch, then unpin up${capabilities.kvm.bootsLinux ? '' : ': Debian in a test host'}`;
  if (runs('sev') && runs('sev-upm')) return { kind: 'probe', offer: fetch };
  return { kind: 'nothing', why: `${capabilities.kvm.problem ?? 'this KVM runs neither sev nor sev-upm'}; ${fetch}` };
}

function describe(plan: Plan): string {
  switch (plan.kind) {
    case 'debian':
      return plan.where === 'here'
        ? 'Debian 6.12 on this KVM'
        : 'Debian 6.12 in a test host: an emulated CPU with SVM, so times are those of emulation (about a minute)';
    case 'probe':
      return `the probe guest on this KVM (a real kernel: ${plan.offer})`;
    case 'nothing':
      return plan.why;
  }
}

async function measure(plan: Exclude<Plan, { kind: 'nothing' }>, signal: AbortSignal): Promise<readonly VmReport[]> {
  const common = { types: 'sev,sev-upm', memory: '512M', timeout: 300 } as const;
  if (plan.kind === 'probe') return compare('probe', { ...common, signal }, false);
  const options: CompareOptions = { ...common, signal, initrd: plan.initrd, append: POWER_OFF };
  if (plan.where === 'here') return compare(plan.kernel, options, false);
  return inTestHost(plan.kernel, options);
}

/** User space of the demonstration: one line that shows it is there, and the end. */
const POWER_OFF = 'quiet rdinit=/bin/busybox -- poweroff -f';

async function inTestHost(kernel: string, options: CompareOptions): Promise<readonly VmReport[]> {
  const { runSelfInTestHost } = await import('../test-host/run-self.ts');
  const stdout = new PassThrough();
  const collected = text(stdout);
  const args = ['compare', kernel, '--json', '--types', options.types, '--memory', options.memory];
  const code = await runSelfInTestHost(
    [...args, '--initrd', options.initrd ?? '', '--append', options.append ?? '', '--timeout', String(options.timeout)],
    { stdout, stdin: 'ignore', ...(options.signal === undefined ? {} : { signal: options.signal }) },
  );
  stdout.end();
  const answer = JSON.parse(await collected) as {
    reports?: VmReport[];
    error?: Parameters<typeof UnpinError.fromBody>[0];
  };
  if (answer.error !== undefined) throw UnpinError.fromBody(answer.error);
  if (answer.reports === undefined)
    throw new UnpinError('TEST_HOST_FAILED', { subject: 'the comparison', found: `exit status ${code}` });
  return answer.reports;
}
