import type { ImageEntry, ImageInspectionMessage, InspectionProblem } from '@unpin/contract';
import type { FirmwareVerdict, Verdict } from '@unpin/policy';
import type { BootEntry } from '../boot-set/boot-choice.ts';
import type { FormatError } from '../format-error.ts';
import { INSPECTOR } from '../verdict/inspect-kernel.ts';
import { judgeUnread } from '../verdict/judge-kernel.ts';
import type { ChosenStarts } from './choose-starts.ts';
import { imageBootSet, noBootSet } from './image-boot-set.ts';
import type { JudgedStart } from './judge-start.ts';
import type { OpenedImage } from './open-image.ts';
import { worstOf } from './worst.ts';

type Conclusion = Omit<ImageInspectionMessage, 'figures'>;

/** What was looked at beside the image's own starts. */
interface Beside {
  readonly firmware: FirmwareVerdict | undefined;
  readonly obstacles: readonly string[];
}

/** One verdict of all that was judged. Pure. */
export function concludeImage(
  name: string,
  image: OpenedImage,
  chosen: ChosenStarts,
  judged: ReadonlyMap<number, JudgedStart>,
  { firmware, obstacles }: Beside,
): Conclusion {
  const { choice, layers } = image;
  const verdict = {
    ...verdictOf(name, image, judged, obstacles),
    ...(firmware === undefined ? {} : { firmware }),
  };
  const problem = problemOf(image, judged);
  return {
    name,
    verdict: verdict as ImageInspectionMessage['verdict'],
    layers,
    entries: choice.entries.map((entry, index) => entryOf(entry, chosen.counting.includes(index), judged.get(index))),
    decidedBy: chosen.decidedBy,
    ...(problem === undefined ? {} : { problem: problemMessage(problem) }),
  };
}

function verdictOf(
  name: string,
  image: OpenedImage,
  judged: ReadonlyMap<number, JudgedStart>,
  more: readonly string[],
): Verdict {
  const { choice, problem, unread } = image;
  const starts = [...judged].map(([index, { verdict }]) => ({ title: choice.entries[index]?.title ?? '', verdict }));
  const [first, ...rest] = starts;
  if (first === undefined) {
    const obstacles = distinct([
      ...(problem === undefined ? [] : [problem.message]),
      ...choice.doubts,
      ...unread.map(({ message }) => message),
      ...more,
    ]);
    const why = obstacles[0] ?? 'nothing was found that would boot';
    return {
      bootSet: noBootSet(name, image.layers.bytes),
      inspector: INSPECTOR,
      kernel: { container: 'unknown', payload: 'unknown' },
      statements: judgeUnread(why),
      obstacles: obstacles.length === 0 ? [why] : obstacles,
    };
  }
  const hidden = mayHideMore(image, judged) ? unread : [];
  const all = [first, ...rest].map(({ title, verdict }) => ({ title, statements: verdict.statements }));
  const unseen = hidden.map(({ what, message }) => ({ title: what, statements: judgeUnread(message) }));
  const [one, ...others] = [...all, ...unseen];
  const decisive = judged.size === 1 && unseen.length === 0;
  return {
    bootSet: imageBootSet([first.verdict.bootSet, ...rest.map(({ verdict }) => verdict.bootSet)]),
    inspector: INSPECTOR,
    kernel: first.verdict.kernel,
    statements: one === undefined ? first.verdict.statements : worstOf([one, ...others]),
    obstacles: distinct([
      ...starts.flatMap(({ title, verdict }) =>
        verdict.obstacles.map((obstacle) => (decisive ? obstacle : `${title}: ${obstacle}`)),
      ),
      ...hidden.map(({ message }) => message),
      ...choice.doubts,
      ...more,
    ]),
  };
}

/** Kernels were found by looking for them, not in a loader's list: what can't be looked into may have more. */
function mayHideMore({ choice }: OpenedImage, judged: ReadonlyMap<number, JudgedStart>): boolean {
  return [...judged.keys()].some((index) => choice.entries[index]?.loader === 'none-found');
}

function entryOf(
  { title, loader, kernel, initrds, commandLine }: BootEntry,
  counts: boolean,
  judged: JudgedStart | undefined,
): ImageEntry {
  return {
    title,
    loader,
    kernel: kernel.name,
    initrds: initrds.map((initrd) => initrd.name),
    ...(commandLine === undefined ? {} : { commandLine }),
    counts,
    ...(judged === undefined ? {} : { verdict: judged.verdict as NonNullable<ImageEntry['verdict']> }),
  };
}

/** Where nothing at all could be judged: what ended it. */
function problemOf(image: OpenedImage, judged: ReadonlyMap<number, JudgedStart>): FormatError | undefined {
  if (image.problem !== undefined) return image.problem;
  const starts = [...judged.values()];
  const failed = starts.map(({ problem }) => problem).filter((problem) => problem !== undefined);
  return failed.length === starts.length ? failed[0] : undefined;
}

function problemMessage({ kind, what, offset, message }: FormatError): InspectionProblem {
  return { kind, what, offset, message };
}

function distinct(lines: readonly string[]): string[] {
  return [...new Set(lines)];
}
