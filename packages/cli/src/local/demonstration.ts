import { globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { styleText } from 'node:util';
import { type Capabilities, UnpinError, type VmReport } from '@unpin/contract';
import { chooseWay, decide, type Execution, type VmTypeId, vmType } from '@unpin/policy';
import { assetPath, findAsset, TEST_HOST_ASSETS, tinyInitrd } from '@unpin/test-host';
import { type CompareOptions, compare } from '../commands/compare.ts';
import { comparisonText } from '../render/comparison.ts';
import { verdictText } from '../render/verdict.ts';
import { inspectFile } from './inspect.ts';

type Where = 'machine' | 'software' | 'test-host';

const COMPARED: readonly VmTypeId[] = ['sev', 'sev-upm'];
const EXECUTIONS: readonly Execution[] = ['hardware', 'shaped', 'emulated'];

interface Options {
  readonly testHost: boolean | undefined;
  readonly signal: AbortSignal;
}

/**
 * What the demonstration runs: a kernel that reports its conversions (by this machine's KVM where that boots Linux, else
 * by the software KVM), the same in a test host where that was asked for, or the probe guest.
 */
type Plan =
  | { readonly kind: 'linux'; readonly where: Where; readonly kernel: string }
  | { readonly kind: 'probe'; readonly offer: string }
  | { readonly kind: 'nothing'; readonly why: string };

/**
 * Measured, not computed: the verdict on a kernel file, and the same guest as `sev` and as `sev-upm` side by side.
 * A failure is told and does not keep the servers from serving.
 */
export async function demonstrate(capabilities: Capabilities, options: Options): Promise<void> {
  try {
    write(await verdictPart());
    const plan = await choosePlan(capabilities, options.testHost === true);
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
async function verdictPart(): Promise<string> {
  const kernel = ownKernel() ?? fetchedKernel();
  if (kernel === undefined)
    return `no kernel file here to judge; this gets one:  unpin test-host fetch kernel-6.12-cloud`;
  return verdictText(await inspectFile(kernel), false);
}

function ownKernel(): string | undefined {
  return globSync(['/boot/vmlinuz*', '/vmlinuz', '/usr/lib/modules/*/vmlinuz']).sort().at(-1);
}

function fetchedKernel(): string | undefined {
  return findAsset('kernel-6.12-cloud') === undefined ? undefined : assetPath('kernel-6.12-cloud');
}

/** A kernel that may run on every type that is compared: the fetched one, else this machine's own. */
async function guestKernel(): Promise<string | undefined> {
  const own = ownKernel();
  return fetchedKernel() ?? (own !== undefined && (await mayRun(own)) ? own : undefined);
}

async function mayRun(kernel: string): Promise<boolean> {
  const verdict = await inspectFile(kernel);
  return COMPARED.every((type) => decide(vmType(type), verdict).outcome === 'may');
}

async function choosePlan(capabilities: Capabilities, testHost: boolean): Promise<Plan> {
  const runs = (linux: boolean): boolean =>
    COMPARED.every((type) =>
      capabilities.types.some((row) => row.type === type && chooseWay(row.ways, { allow: EXECUTIONS, linux })),
    );
  const kernel = await guestKernel();
  const hasTestHost = TEST_HOST_ASSETS.every((id) => findAsset(id) !== undefined);
  const where = whereTo(capabilities, testHost && hasTestHost, runs(true));
  if (kernel !== undefined && where !== undefined) return { kind: 'linux', where, kernel };
  const fetch = 'unpin test-host fetch kernel-6.12-cloud, then unpin up';
  if (runs(false)) return { kind: 'probe', offer: fetch };
  return { kind: 'nothing', why: `${capabilities.kvm.problem ?? 'this KVM runs neither sev nor sev-upm'}; ${fetch}` };
}

function whereTo({ kvm }: Capabilities, testHost: boolean, bootsLinux: boolean): Where | undefined {
  if (testHost) return 'test-host';
  if (!bootsLinux) return undefined;
  return kvm.bootsLinux ? 'machine' : 'software';
}

function describe(plan: Plan): string {
  switch (plan.kind) {
    case 'linux':
      return `${basename(plan.kernel)} ${PLACES[plan.where]}`;
    case 'probe':
      return `the probe guest (a real kernel: ${plan.offer})`;
    case 'nothing':
      return plan.why;
  }
}

const PLACES: Readonly<Record<Where, string>> = {
  machine: 'on this KVM',
  software: 'on the software KVM (some seconds each): this machine has no KVM that boots Linux',
  'test-host': 'in a test host: an emulated CPU with SVM, so times are those of emulation (about a minute)',
};

async function measure(plan: Exclude<Plan, { kind: 'nothing' }>, signal: AbortSignal): Promise<readonly VmReport[]> {
  const common = { types: COMPARED.join(','), memory: '512M', timeout: 300 } as const;
  if (plan.kind === 'probe') return compare('probe', { ...common, signal }, false);
  const dir = mkdtempSync(join(tmpdir(), 'unpin-up-'));
  try {
    const initrd = join(dir, 'initrd');
    writeFileSync(initrd, tinyInitrd());
    const options: CompareOptions = { ...common, signal, initrd, append: 'quiet' };
    return await (plan.where === 'test-host' ? inTestHost(plan.kernel, options) : compare(plan.kernel, options, false));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

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
