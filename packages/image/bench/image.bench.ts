import { spawnSync } from 'node:child_process';
import { constants, copyFileSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Bench, BenchResult } from '../../../scripts/bench.ts';
import { type ImageAnswer, inspectMany } from '../src/confined/index.ts';
import { assetProgram } from '../test/assets.ts';
import { imageOf } from '../test/image-set/build.ts';
import { type KernelId, missingKernels } from '../test/image-set/kernels.ts';
import { needsDiskTools } from '../test/tools.ts';
import { DISK_KERNELS, debianDisk, diskContents } from './debian-disk.ts';

const ROUNDS = 5;
/** Milliseconds. */
const GOAL_MS = 400;
const GOAL_XZ_MS = 1000;
const GOAL_MEMORY_MB = 200;
const MANY = 100;
const WORKERS = 2;
/** A virtual machine under emulation takes its time. */
const PEER_LIMIT_MS = 600_000;
const PACKED_BY: Readonly<Partial<Record<KernelId, string>>> = { '6.1': 'lz4', '6.12': 'zstd', '6.1-generic': 'xz' };
const MIB = 2 ** 20;
const MB = 1e6;

const CLI = join(import.meta.dirname, '../../cli/src/main.ts');

/**
 * Verdicts of a disk like Debian's for clouds: 2 GiB, its clusters packed by zlib. The peers don't give verdicts: they
 * say what system is on the disk, or list its file systems, and start a virtual machine for it, here by emulation.
 */
export const bench: Bench = {
  title: 'unpin image inspect: a qcow2 of 2 GiB, packed by zlib',
  unavailable() {
    const missing = missingKernels(DISK_KERNELS);
    const reason = needsDiskTools().skip;
    if (reason !== false) return reason;
    return missing.length === 0 ? diskContents().reason : `not fetched: ${missing.join(', ')}: unpin test-host fetch`;
  },
  async run(progress) {
    const results: BenchResult[] = [];
    for (const kernel of DISK_KERNELS) {
      progress(`the disk with ${kernel}`);
      const image = imageOf(debianDisk(kernel));
      results.push(...(await single(kernel, image)));
    }
    results.push(...peers(imageOf(debianDisk('6.1')), progress));
    progress(`${MANY} images`);
    results.push(...(await directory(DISK_KERNELS.map((kernel) => imageOf(debianDisk(kernel))))));
    return results;
  },
};

async function single(kernel: KernelId, image: string): Promise<readonly BenchResult[]> {
  const goal = kernel === '6.1-generic' ? GOAL_XZ_MS : GOAL_MS;
  const name = `${kernel} (${PACKED_BY[kernel] ?? ''})`;
  const inside: number[] = [];
  const whole: number[] = [];
  let peak = 0;
  let read = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const [answer] = await inspectMany([{ image }], { workers: 1 });
    const { figures } = verdictOf(answer);
    inside.push(figures.milliseconds);
    peak = Math.max(peak, figures.peakBytes);
    read = figures.bytesRead;
    whole.push(wall(process.execPath, [CLI, 'image', 'inspect', image]));
  }
  return [
    { name: `${name}: reading and judging`, unit: 'ms', ...met(Math.min(...inside), goal, 'ms') },
    { name: `${name}: the whole command`, unit: 'ms', ours: Math.min(...whole) },
    {
      name: `${name}: peak memory of the process that parses`,
      unit: 'MB',
      ...met(peak / MB, GOAL_MEMORY_MB, 'MB'),
    },
    { name: `${name}: read of ${Math.round(statSync(image).size / MIB)} MiB`, unit: 'MiB', ours: read / MIB },
  ];
}

/** What others take for the same file, once each: they are told by minutes, not by milliseconds. */
function peers(image: string, progress: (text: string) => void): readonly BenchResult[] {
  const ours = wall(process.execPath, [CLI, 'image', 'inspect', image]);
  const file = basename(image);
  const rows: readonly (readonly [program: string, args: readonly string[], does: string])[] = [
    ['guestfish', ['--ro', '--add', file, 'run', ':', 'list-filesystems'], 'lists file systems'],
    ['virt-inspector', ['--add', file], 'names the system and its packages'],
  ];
  return rows.map(([program, args, does]): BenchResult => {
    const name = `the whole command beside ${program}`;
    const found = assetProgram('libguestfs', program) ?? installed(program);
    if (found === undefined)
      return { name, unit: 'ms', ours, note: `no ${program} on this machine: unpin test-host fetch libguestfs` };
    // The first start makes its virtual machine: that is for nobody.
    progress(`${program}, twice: it starts a virtual machine`);
    const first = spawnSync(found, args, { cwd: dirname(image), timeout: PEER_LIMIT_MS, maxBuffer: 2 ** 28 });
    if (first.status !== 0)
      return { name, unit: 'ms', ours, note: `${program} failed: ${first.stderr.toString().trim().slice(-200)}` };
    const peer = wall(found, args, dirname(image));
    const note = `${program} ${does}; it starts a virtual machine for it, by emulation (TCG), and gives no verdict`;
    return { name, unit: 'ms', ours, peer, ratio: ours / peer, note };
  });
}

async function directory(images: readonly string[]): Promise<readonly BenchResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'unpin-many-'));
  try {
    const requests = Array.from({ length: MANY }, (_, index) => {
      const own = join(folder, `${index}`);
      mkdirSync(own);
      const copy = join(own, 'disk.qcow2');
      copyFileSync(images[index % images.length] ?? '', copy, constants.COPYFILE_FICLONE);
      return { image: copy };
    });
    const began = performance.now();
    const answers = await inspectMany(requests, { workers: WORKERS });
    const seconds = (performance.now() - began) / 1000;
    const total = requests.reduce((sum, { image }) => sum + statSync(image).size, 0);
    const read = answers.reduce((sum, answer) => sum + verdictOf(answer).figures.bytesRead, 0);
    const first = requests[0]?.image ?? '';
    // Past the page cache, where the file system lets one.
    const direct = wall('dd', [`if=${first}`, 'of=/dev/null', 'bs=1M', 'iflag=direct,fullblock', 'status=none']);
    const rate = statSync(first).size / MIB / (direct / 1000);
    return [
      {
        name: `${MANY} images (three kernels), ${WORKERS} processes`,
        unit: 's',
        ours: seconds,
        note: `${Math.round(read / MIB)} MiB read of ${Math.round(total / MIB)}; most of the time is unpacking`,
      },
      {
        name: 'pace in the size of the files, beside the disk’s own',
        unit: 'MiB/s',
        ours: total / MIB / seconds,
        peer: rate,
        ratio: total / MIB / seconds / rate,
        note: 'the disk reads one file past the page cache (dd)',
      },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function verdictOf(answer: ImageAnswer | undefined) {
  if (answer?.inspection === undefined) throw answer?.error ?? new Error('no answer');
  const { verdict, figures } = answer.inspection;
  // A figure of something that wasn't judged is none.
  if (verdict.statements['reports-conversions'].answer !== 'yes') throw new Error(verdict.obstacles.join('; '));
  return { figures };
}

/** A figure, and whether it is as low as it has to be. */
function met(ours: number, goal: number, unit: string): Pick<BenchResult, 'ours' | 'goal' | 'met'> {
  return { ours, goal: `≤ ${goal} ${unit}`, met: ours <= goal };
}

/** Milliseconds of a command, from its start to its end. Throws where it fails. */
function wall(command: string, args: readonly string[], cwd?: string): number {
  const began = performance.now();
  const { status, stderr, error } = spawnSync(command, args, {
    timeout: PEER_LIMIT_MS,
    maxBuffer: 2 ** 28,
    ...(cwd === undefined ? {} : { cwd }),
  });
  const taken = performance.now() - began;
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command}: ${stderr.toString().slice(-500)}`);
  return taken;
}

function installed(program: string): string | undefined {
  return spawnSync(program, ['--version'], { timeout: 10_000 }).error === undefined ? program : undefined;
}
