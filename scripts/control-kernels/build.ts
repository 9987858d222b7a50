/**
 * node scripts/control-kernels/build.ts [NAME…]: builds the control kernels of packages/image/test/image-set, all or
 * some, from Debian's sources into the cache. Needs gcc, binutils, make, perl and bc on the machine; what else a kernel
 * is built with is fetched. One takes 2 to 10 minutes on two processors. What was built of the same recipe stays.
 */

import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { assetFolder, assetPath, cacheFolder, fetchAssets, findAsset } from '@unpin/test-host';
import {
  COMMON_CONFIG,
  CONTROL_KERNELS,
  type ControlKernel,
} from '../../packages/image/test/image-set/control-kernels.ts';
import { DIGESTS } from './digests.ts';

const LIBRARIES = 'usr/lib/x86_64-linux-gnu';
const BUILD_MS = 2 * 3_600_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { jobs: { type: 'string', default: String(Math.max(1, availableParallelism() - 1)) } },
});
const unknown = positionals.filter((name) => !CONTROL_KERNELS.some((kernel) => kernel.name === name));
if (unknown.length > 0) throw new Error(`no control kernel ${unknown.join(', ')}`);
const wanted = CONTROL_KERNELS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));

const root = join(cacheFolder(), 'control-kernels');
await fetchAssets([
  'kernel-build-tools',
  ...new Set(wanted.map(({ source }) => source)),
  ...(wanted.some(({ compiler }) => compiler === 'clang') ? (['llvm'] as const) : []),
]);
for (const kernel of wanted) build(kernel);

function build(kernel: ControlKernel): void {
  const source = findAsset(kernel.source);
  const config = [...COMMON_CONFIG, ...kernel.config].join('\n');
  const recipe = digest(JSON.stringify([source?.version, config, kernel.compiler, kernel.edits.map(editText)]));
  const target = join(root, kernel.name);
  const record = join(target, 'record.json');
  if (existsSync(record) && (JSON.parse(readFileSync(record, 'utf8')) as { recipe?: string }).recipe === recipe) {
    console.log(`${kernel.name}: present`);
    return;
  }
  console.log(`${kernel.name}: building`);
  const tree = sourceTree(kernel);
  const objects = join(root, 'work', `${kernel.compiler}-${digest(tree).slice(0, 12)}`);
  mkdirSync(objects, { recursive: true });
  const fragment = join(objects, 'fragment');
  writeFileSync(fragment, `${config}\n`);
  const arguments_ = ['-s', '-C', tree, `O=${objects}`, `-j${values.jobs}`, ...variables(kernel)];
  const make = (goal: string, more: Record<string, string> = {}): void => {
    run('nice', ['-n', '19', 'make', ...arguments_, goal], { ...buildEnvironment(kernel), ...more });
  };
  make('allnoconfig', { KCONFIG_ALLCONFIG: fragment });
  const started = performance.now();
  make('bzImage');
  mkdirSync(target, { recursive: true });
  copyFileSync(join(objects, 'arch/x86/boot/bzImage'), join(target, 'bzImage'));
  copyFileSync(join(objects, '.config'), join(target, 'config'));
  const compiler = run(kernel.compiler, ['--version'], buildEnvironment(kernel)).split('\n')[0];
  const entry = {
    recipe,
    source: { version: source?.version, packages: source?.packages },
    compiler,
    sha256: digest(readFileSync(join(target, 'bzImage'))),
  };
  writeFileSync(record, `${JSON.stringify(entry, null, 2)}\n`);
  const known = DIGESTS[kernel.name];
  const isKnown = known === entry.sha256 ? ', as known' : known === undefined ? '' : `, not ${known}`;
  console.log(`${kernel.name}: ${entry.sha256}${isKnown}, in ${Math.round((performance.now() - started) / 1000)} s`);
}

/** The source, unpacked and edited. Trees are shared by kernels with the same edits. */
function sourceTree({ source, edits }: ControlKernel): string {
  const version = findAsset(source)?.version ?? '';
  const tree = join(root, 'work', `${source}-${digest(version + edits.map(editText).join('\n')).slice(0, 12)}`);
  if (existsSync(tree)) return tree;
  const fresh = `${tree}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  run('tar', ['-xJf', assetPath(source), '--strip-components=1', '-C', fresh]);
  for (const { file, from, to, times } of edits) {
    const path = join(fresh, file);
    const before = readFileSync(path, 'utf8');
    const found = before.match(from)?.length ?? 0;
    if (found !== times) throw new Error(`${file}: ${String(from)} is there ${found} times, not ${times}`);
    writeFileSync(path, before.replace(from, to));
  }
  renameSync(fresh, tree);
  return tree;
}

function editText({ file, from, to }: ControlKernel['edits'][number]): string {
  return `${file} ${String(from)} ${to}`;
}

function variables({ compiler }: ControlKernel): string[] {
  const tools = assetFolder('kernel-build-tools');
  const host = [
    `HOSTCFLAGS=-isystem ${join(tools, 'usr/include')}`,
    `HOSTLDFLAGS=-L${join(tools, LIBRARIES)} -Wl,-rpath-link,${join(tools, LIBRARIES)}`,
  ];
  return compiler === 'gcc' ? host : [...host, 'LLVM=1', 'HOSTCC=gcc'];
}

/** Tools from their folders, with their own libraries but the machine's C library; nothing of the day. */
function buildEnvironment({ compiler }: Pick<ControlKernel, 'compiler'>): Record<string, string> {
  const tools = assetFolder('kernel-build-tools');
  const llvm = compiler === 'clang' ? assetFolder('llvm') : undefined;
  const folders = llvm === undefined ? [tools] : [tools, llvm];
  const programs = [join(tools, 'usr/bin'), ...(llvm === undefined ? [] : [join(llvm, 'usr/lib/llvm-16/bin')])];
  return {
    PATH: `${programs.join(':')}:${process.env['PATH'] ?? ''}`,
    LANG: 'C',
    LD_LIBRARY_PATH: folders.map((folder) => join(folder, LIBRARIES)).join(':'),
    BISON_PKGDATADIR: join(tools, 'usr/share/bison'),
    M4: join(tools, 'usr/bin/m4'),
    KBUILD_BUILD_TIMESTAMP: '2000-01-01',
    KBUILD_BUILD_USER: 'unpin',
    KBUILD_BUILD_HOST: 'control',
    KBUILD_BUILD_VERSION: '1',
  };
}

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): string {
  const result = spawnSync(command, args, { env, timeout: BUILD_MS, maxBuffer: 2 ** 28, encoding: 'utf8' });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) throw new Error(`${command} ${args.join(' ')}:\n${result.stderr.slice(-4000)}`);
  return result.stdout;
}

function digest(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
