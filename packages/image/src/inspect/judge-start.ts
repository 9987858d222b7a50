import type { BootPart, BootSet, Verdict } from '@unpin/policy';
import type { BootEntry, BootFile } from '../boot-set/boot-choice.ts';
import { MOST_KERNEL_BYTES } from '../confined/kernel-size.ts';
import { FormatError } from '../format-error.ts';
import type { Budget } from '../source/budget.ts';
import { sha256 } from '../verdict/boot-set.ts';
import { INSPECTOR } from '../verdict/inspect-kernel.ts';
import { judgeUnread } from '../verdict/judge-kernel.ts';
import { factsOf, type OpenedKernel, obstacleOf, openKernel, statementsOf } from '../verdict/open-kernel.ts';
import { hashFiles, MOST_INITRD_BYTES } from './hash-parts.ts';
import { noBootSet, startBootSet } from './image-boot-set.ts';
import { openStart, type StartFiles } from './open-start.ts';

/** What one start was found to be. */
export interface JudgedStart {
  readonly verdict: Verdict;
  /** What stood in the way of reading its kernel. */
  readonly problem: FormatError | undefined;
  /** Undefined where it could not be opened. */
  readonly files: StartFiles | undefined;
}

/** What is common to all starts of an image. */
export interface StartContext {
  readonly budget: Budget;
  readonly configuration: readonly BootPart[];
  readonly firmware: BootPart | undefined;
  /** In place of the command line that a loader would give. */
  readonly commandLine: string | undefined;
  readonly at: (what: string) => void;
  /** Kernels by their digest: the same bytes are read once. */
  readonly kernels: Map<string, OpenedKernel>;
}

/** Judges one start by all that it would boot. Ends with a verdict whatever is in its files. */
export async function judgeStart(entry: BootEntry, context: StartContext): Promise<JudgedStart> {
  let files: StartFiles | undefined;
  try {
    context.at(`reading ${entry.kernel.name}`);
    files = await openStart(entry, context.budget);
    return await judgeFiles(files, context);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { verdict: unreadStart(entry.kernel, error.message), problem: error, files };
  }
}

async function judgeFiles(files: StartFiles, context: StartContext): Promise<JudgedStart> {
  const { budget, at } = context;
  const commandLine = context.commandLine ?? files.commandLine;
  // The initrd is on its way while the kernel is looked into.
  const initrd = files.initrds.length === 0 ? undefined : hashFiles(files.initrds, MOST_INITRD_BYTES, budget);
  initrd?.catch(() => undefined);
  const bytes = await readKernel(files.kernel);
  const kernel = { name: files.kernel.name, sha256: sha256(bytes), bytes: bytes.length };
  at(`looking into ${files.kernel.name}`);
  let opened = context.kernels.get(kernel.sha256);
  if (opened === undefined) {
    opened = openKernel(bytes);
    context.kernels.set(kernel.sha256, opened);
  }
  const statements = statementsOf(opened, commandLine);
  const problem = obstacleOf(opened);
  if (initrd !== undefined) at(`hashing ${files.initrds.map(({ name }) => name).join(', ')}`);
  const bootSet = await finishBootSet(kernel, initrd, files, commandLine, context);
  const obstacles = [...(problem === undefined ? [] : [problem.message]), ...bootSet.obstacles];
  return {
    verdict: { bootSet: bootSet.set, inspector: INSPECTOR, kernel: factsOf(opened), statements, obstacles },
    problem,
    files: { ...files, commandLine },
  };
}

/** An initrd that can't be read says nothing of the kernel, but then nobody can name what would boot. */
async function finishBootSet(
  kernel: BootPart,
  hashing: Promise<BootPart> | undefined,
  files: StartFiles,
  commandLine: string | undefined,
  { configuration, firmware }: StartContext,
): Promise<{ readonly set: BootSet; readonly obstacles: readonly string[] }> {
  const parts = { kernel, commandLine, firmware, configuration: [...configuration, ...files.wrappers] };
  try {
    return { set: startBootSet({ ...parts, initrd: await hashing }), obstacles: [] };
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    const set = { ...startBootSet({ ...parts, initrd: undefined }), digest: '' };
    return { set, obstacles: [`the initrd can't be read, so that the boot set has no digest: ${error.message}`] };
  }
}

async function readKernel({ name, source }: BootFile): Promise<Uint8Array> {
  if (source.size > MOST_KERNEL_BYTES)
    throw new FormatError('over-budget', name, 0, `${source.size} bytes, at most ${MOST_KERNEL_BYTES} are read`);
  return await source.read(0, source.size);
}

/** Nothing is known of what could not be read. */
export function unreadStart({ name, source }: BootFile, why: string): Verdict {
  return {
    bootSet: noBootSet(name, source.size),
    inspector: INSPECTOR,
    kernel: { container: 'unknown', payload: 'unknown' },
    statements: judgeUnread(why),
    obstacles: [why],
  };
}

/** One that was left out because the inspection took too long already. */
export function skippedStart(entry: BootEntry): JudgedStart {
  const why = `not looked into: the others took the time that one inspection may take`;
  return { verdict: unreadStart(entry.kernel, why), problem: undefined, files: undefined };
}
