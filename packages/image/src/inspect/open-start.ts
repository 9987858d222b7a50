import type { BootPart } from '@unpin/policy';
import type { BootEntry, BootFile } from '../boot-set/boot-choice.ts';
import { readUki } from '../kernel/uki/uki.ts';
import type { Budget } from '../source/budget.ts';
import { hashFiles, MOST_INITRD_BYTES } from './hash-parts.ts';

/** The files of a start, out of whatever they come in. */
export interface StartFiles {
  readonly kernel: BootFile;
  readonly initrds: readonly BootFile[];
  /** As the kernel gets it; undefined where nothing says it. */
  readonly commandLine: string | undefined;
  /** What kernel and initrd were taken out of: its own code runs before theirs. */
  readonly wrappers: readonly BootPart[];
}

/**
 * Finds kernel, initrds and command line of an entry; of a unified kernel image those of the profile that starts unless
 * another one is asked for.
 * @throws FormatError
 */
export async function openStart(entry: BootEntry, budget: Budget): Promise<StartFiles> {
  const { kernel, initrds, commandLine } = entry;
  const uki = await readUki(kernel.source);
  if (uki === undefined) return { kernel, initrds, commandLine, wrappers: [] };
  const [profile] = uki.profiles;
  const part = (source: typeof profile.kernel, what: string): BootFile => ({ name: `${kernel.name} ${what}`, source });
  return {
    kernel: part(profile.kernel, '.linux'),
    initrds: [...profile.initrds.map((source) => part(source, '.initrd')), ...initrds],
    commandLine: commandLine ?? profile.commandLine,
    wrappers: [await hashFiles([kernel], MOST_INITRD_BYTES, budget)],
  };
}
