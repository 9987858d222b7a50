import type { ImageInspectionMessage } from '@unpin/contract';
import type { BootPart, FirmwareVerdict } from '@unpin/policy';
import type { BootFile } from '../boot-set/boot-choice.ts';
import type { GivenFolder } from '../disk/open-disk-folder.ts';
import { FIRMWARE_LIMIT, inspectFirmware } from '../firmware/inspect-firmware.ts';
import { FormatError } from '../format-error.ts';
import { Budget } from '../source/budget.ts';
import type { ByteSource } from '../source/byte-source.ts';
import type { SpillLimits } from '../source/spill-file.ts';
import { type ChosenStarts, chooseStarts, NOTHING_CHOSEN } from './choose-starts.ts';
import { concludeImage } from './conclude-image.ts';
import { counting } from './counting-source.ts';
import { hashFiles, MOST_CONFIGURATION_BYTES } from './hash-parts.ts';
import { type JudgedStart, judgeStart, type StartContext, skippedStart } from './judge-start.ts';
import { type OpenedImage, openImage } from './open-image.ts';
import type { StartFiles } from './open-start.ts';

export interface InspectImageOptions {
  /** What the file is taken for; what it looks like unless said. */
  readonly as?: 'auto' | 'kernel' | 'disk';
  /** Files that may stand behind the image; it finds nothing else. */
  readonly backing?: readonly ByteSource[];
  /** Of a kernel that is given as a file. */
  readonly initrd?: ByteSource;
  readonly firmware?: ByteSource;
  /** The entry that is judged instead of the default: its title, or its number from 1 on. */
  readonly entry?: string;
  /** The command line that the kernel will get, in place of the one that its loader would give. */
  readonly commandLine?: string;
  readonly budget?: Budget;
  /** Temporary files, for what must be unpacked whole. */
  readonly spill?: SpillLimits;
  /** Asked before each further kernel; false: what is left stays unknown. */
  readonly mayGoOn?: () => boolean;
  /** What is being done, for who watches. */
  readonly at?: (what: string) => void;
}

/** The files of the start that was judged, to boot what was judged. */
export interface JudgedStartFiles {
  readonly kernel: ByteSource;
  readonly initrds: readonly ByteSource[];
  readonly commandLine: string | undefined;
}

export interface InspectedImage {
  readonly inspection: ImageInspectionMessage;
  /** Of the only start that counts; undefined where several do, or it can't be read. Until `close`. */
  readonly start: JudgedStartFiles | undefined;
  /** Lets go of temporary files; the sources that were given stay open. */
  readonly close: () => void;
}

/** Bytes that an inspection may read, unpack or make up in all, and entries of all kinds that it may follow. */
const DEFAULT_BYTES = 2 ** 32;
const DEFAULT_STEPS = 2 ** 22;

/**
 * What an image can do: opens its layers, finds what would boot, judges it. Always ends with a verdict: what stood in the
 * way is an obstacle.
 * @throws UnpinError NOT_FOUND where the entry that was asked for isn't there
 */
export async function inspectImage(
  source: ByteSource | GivenFolder,
  options: InspectImageOptions = {},
): Promise<InspectedImage> {
  const started = performance.now();
  const { at = () => undefined, firmware } = options;
  const budget = options.budget ?? new Budget(DEFAULT_BYTES, DEFAULT_STEPS);
  const medium = counting(source);
  at('opening');
  const image = await openImage(medium.source, { ...options, withFirmware: firmware !== undefined, budget, at });
  try {
    const firmwareVerdict = firmware && (await readFirmware(firmware, budget));
    const chosen = image.problem === undefined ? chooseStarts(image.choice, options.entry) : NOTHING_CHOSEN;
    const hashed = await hashConfiguration(image.choice.configuration, budget);
    const judged = await judgeAll(image, chosen, options, {
      budget,
      configuration: hashed.parts,
      firmware: firmwareVerdict && partOf(firmwareVerdict),
      commandLine: options.commandLine,
      at,
      kernels: new Map(),
    });
    const outcome = concludeImage(source.name, image, chosen, judged, {
      firmware: firmwareVerdict,
      obstacles: hashed.obstacles,
    });
    const figures = {
      milliseconds: performance.now() - started,
      bytesRead: medium.bytesRead(),
      peakBytes: process.resourceUsage().maxRSS * 1024,
    };
    const [only] = judged.size === 1 ? judged.values() : [];
    return {
      inspection: { ...outcome, figures },
      start: only?.files && startFiles(only.files),
      close: () => image.close(),
    };
  } catch (error) {
    image.close();
    throw error;
  }
}

async function judgeAll(
  { choice }: OpenedImage,
  { counting }: ChosenStarts,
  { mayGoOn = () => true }: InspectImageOptions,
  context: StartContext,
): Promise<ReadonlyMap<number, JudgedStart>> {
  const judged = new Map<number, JudgedStart>();
  for (const index of counting) {
    const entry = choice.entries[index];
    if (entry === undefined) continue;
    const goOn = judged.size === 0 || mayGoOn();
    judged.set(index, goOn ? await judgeStart(entry, context) : skippedStart(entry));
  }
  return judged;
}

/** What can't be read of the configuration counts as an obstacle: the loader may have read something else. */
async function hashConfiguration(
  files: readonly BootFile[],
  budget: Budget,
): Promise<{ readonly parts: readonly BootPart[]; readonly obstacles: readonly string[] }> {
  const parts: BootPart[] = [];
  const obstacles: string[] = [];
  for (const file of files)
    try {
      parts.push(await hashFiles([file], MOST_CONFIGURATION_BYTES, budget));
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      obstacles.push(`${file.name} can't be read: ${error.message}`);
    }
  return { parts, obstacles };
}

/** Whatever is in it, this ends with a verdict; what can't be read ends the inspection, as it was named by a person. */
async function readFirmware(source: ByteSource, budget: Budget): Promise<FirmwareVerdict> {
  if (source.size > FIRMWARE_LIMIT)
    throw new FormatError('over-budget', source.name, 0, `${source.size} bytes, at most ${FIRMWARE_LIMIT} are read`);
  budget.takeBytes(source.size, source.name, 0);
  return inspectFirmware(await source.read(0, source.size), source.name);
}

function partOf({ name, sha256, bytes }: FirmwareVerdict): BootPart {
  return { name, sha256, bytes };
}

function startFiles({ kernel, initrds, commandLine }: StartFiles): JudgedStartFiles {
  return { kernel: kernel.source, initrds: initrds.map(({ source }) => source), commandLine };
}
