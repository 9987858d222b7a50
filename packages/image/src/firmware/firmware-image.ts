import { ByteReader } from '../byte-reader.ts';
import { type GuidEntry, type GuidTable, readGuidTable } from './guid-table.ts';
import { type Metadata, readMetadata } from './metadata.ts';
import { unpackVolumes, type Volumes } from './volumes.ts';

/** Entries of the GUID table, by what they tell. */
export const ENTRY = {
  sevEsReset: '00f771de-1a7e-4fcb-890e-68c77e2fb44e',
  launchSecret: '4c2eb361-7d9b-4cc3-8081-127c90d3d294',
  kernelHashes: '7255371f-3a3b-4b04-927b-1da6efa8d454',
  sevMetadata: 'dc886566-984a-4798-a75e-5585a7bf67cc',
  tdxMetadata: 'e47a6535-984a-4798-865e-4685a7bf8ec2',
} as const;
const KNOWN: ReadonlySet<string> = new Set(Object.values(ENTRY));

/** OVMF's volume unpacks to 12–16 MiB. */
const UNPACKED_LIMIT = 64 * 2 ** 20;

/** A flash image of the OVMF family, opened. */
export interface FirmwareImage {
  readonly file: Uint8Array;
  readonly table: GuidTable;
  readonly sev: Metadata | undefined;
  readonly tdx: Metadata | undefined;
  readonly volumes: Volumes;
  /** What is broken in it. */
  readonly problems: readonly string[];
}

/** @returns undefined for what has no table of GUIDs: no firmware, or another family's */
export function openFirmware(file: Uint8Array): FirmwareImage | undefined {
  const table = readGuidTable(file, (guid) => KNOWN.has(guid));
  if (table === undefined) return undefined;
  const problems: string[] = table.problem === undefined ? [] : [`GUID table: ${table.problem}`];
  const metadata = (guid: string, kind: 'sev' | 'tdx'): Metadata | undefined => {
    const entry = findEntry(table, guid);
    const found = entry === undefined ? undefined : readMetadata(file, entry, kind);
    if (typeof found !== 'string') return found;
    problems.push(found);
    return undefined;
  };
  const volumes = unpackVolumes(file, UNPACKED_LIMIT);
  return {
    file,
    table,
    sev: metadata(ENTRY.sevMetadata, 'sev'),
    tdx: metadata(ENTRY.tdxMetadata, 'tdx'),
    volumes,
    problems: [...problems, ...volumes.problems],
  };
}

export function findEntry(table: GuidTable, guid: string): GuidEntry | undefined {
  return table.entries.find((entry) => entry.guid === guid);
}

/** An entry that names a place in memory: its address and size, both in 32 bits. Empty places are placeholders. */
export function findPlace(
  table: GuidTable,
  guid: string,
): { readonly base: number; readonly size: number } | undefined {
  const data = findEntry(table, guid)?.data ?? new ByteReader(new Uint8Array(0));
  if (!data.has(0, 8)) return undefined;
  const [base, size] = [data.u32(0, 'firmware entry'), data.u32(4, 'firmware entry')];
  return base === 0 || size === 0 ? undefined : { base, size };
}
