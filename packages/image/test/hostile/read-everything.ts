/** Reads an image through all layers, much further than an inspection does. */
import { openDisk } from '../../src/disk/open-disk.ts';
import type { DirectoryEntry, FileNode, Filesystem } from '../../src/filesystem/filesystem.ts';
import { openFilesystem } from '../../src/filesystem/open-filesystem.ts';
import { FormatError } from '../../src/format-error.ts';
import { inspectImage } from '../../src/inspect/inspect-image.ts';
import { readPartitionTable } from '../../src/partition/read-partition-table.ts';
import { Budget } from '../../src/source/budget.ts';
import type { ByteSource } from '../../src/source/byte-source.ts';

/** What one input may cost, much less than an inspection may: there are many. */
const BYTES = 2 ** 26;
const STEPS = 2 ** 18;
const MOST_FILES = 200;

type Met = Set<string>;

function smallBudget(): Budget {
  return new Budget(BYTES, STEPS);
}

/** The verdict, then every file of every filesystem. Returns what went wrong on the way, by its kind and place. */
export async function readImage(source: ByteSource): Promise<Iterable<string>> {
  const met = new Set<string>();
  const inspected = await inspectImage(source, { budget: smallBudget(), backing: [source] });
  inspected.close();
  const { inspection } = inspected;
  if (inspection.problem !== undefined) met.add(`verdict: ${inspection.problem.kind}`);
  else met.add(inspection.verdict.obstacles.length === 0 ? 'verdict: whole' : 'verdict: doubtful');
  await tolerant(met, () => readDisk(source, met));
  return met;
}

async function readDisk(source: ByteSource, met: Met): Promise<void> {
  const budget = smallBudget();
  const disk = await openDisk(source, { budget });
  try {
    const table = await readPartitionTable(disk.source, budget);
    const volumes = table.kind === 'none' ? [disk.source] : table.partitions.map((partition) => partition.source);
    for (const volume of volumes)
      await tolerant(met, async () => readFilesystem(await openFilesystem(volume, budget), met));
    await ends(disk.source, met);
  } finally {
    disk.close();
  }
}

async function readFilesystem(filesystem: Filesystem, met: Met): Promise<void> {
  const seen = new Set<number>();
  const rest: FileNode[] = [filesystem.root];
  for (let node = rest.pop(); node !== undefined && seen.size < MOST_FILES; node = rest.pop()) {
    if (seen.has(node.id)) continue;
    seen.add(node.id);
    const at = node;
    await tolerant(met, async () => {
      if (at.kind === 'symlink') await filesystem.readLink(at);
      else if (at.kind === 'file') await ends(await filesystem.open(at), met);
      else if (at.kind === 'directory') rest.push(...(await childrenOf(filesystem, at, met)));
    });
  }
}

/** By list, and each also by its name. */
async function childrenOf(filesystem: Filesystem, directory: FileNode, met: Met): Promise<FileNode[]> {
  const entries: readonly DirectoryEntry[] = await filesystem.list(directory);
  for (const { name } of entries.slice(0, 8)) await tolerant(met, () => filesystem.find(directory, name));
  await tolerant(met, () => filesystem.find(directory, 'no such name'));
  return entries.map(({ node }) => node);
}

/** The first, middle and last bytes of what may call itself enormous. */
async function ends(source: ByteSource, met: Met): Promise<void> {
  const length = Math.min(source.size, 65_536);
  for (const at of [0, Math.floor((source.size - length) / 2), source.size - length])
    await tolerant(met, () => source.read(at, length));
}

/** What is wrong with one part doesn't end the others; what a budget ended does. */
async function tolerant(met: Met, read: () => Promise<unknown>): Promise<void> {
  try {
    await read();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    met.add(`${error.kind}: ${nameless(error.what)}`);
    if (error.kind === 'over-budget') throw error;
  }
}

/** What was being read, without numbers and digests: to count alike what is alike. */
export function nameless(what: string): string {
  return what.replaceAll(/[0-9a-f]{12,}/g, '…').replaceAll(/\d+/g, 'N');
}
