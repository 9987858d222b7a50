import { ByteReader } from '../../byte-reader.ts';
import { FormatError } from '../../format-error.ts';
import type { Budget } from '../../source/budget.ts';
import type { ByteSource } from '../../source/byte-source.ts';
import type { Qcow2Header } from './header.ts';

/** What header extensions tell (docs/interop/qcow2.rst, "Header extensions"). */
export interface Qcow2Extensions {
  readonly backingFormat: string | undefined;
  readonly externalDataName: string | undefined;
  /** Names of incompatible features by their bit, as the image's maker calls them. */
  readonly featureNames: ReadonlyMap<number, string>;
}

const TYPE = { end: 0, backingFormat: 0xe2792aca, featureNames: 0x6803f857, externalData: 0x44415441 } as const;
/** All that is read of one extension; names are short, a feature table has 48 bytes a row. */
const MOST_BYTES = 2 ** 14;
const FEATURE_ROW = 48;

/** @throws FormatError malformed, truncated */
export async function readExtensions(
  source: ByteSource,
  header: Qcow2Header,
  budget: Budget,
): Promise<Qcow2Extensions> {
  let backingFormat: string | undefined;
  let externalDataName: string | undefined;
  const featureNames = new Map<number, string>();
  // They end where the backing file's name begins, which follows them, or with the first cluster.
  const end = Math.min(header.backing?.offset ?? 2 ** header.clusterBits, source.size);
  for (let at = header.extensions; at + 8 <= end; ) {
    budget.takeSteps(1, 'qcow2 header extension', at);
    const head = new ByteReader(await source.read(at, 8), 'big');
    const type = head.u32(0, 'qcow2 header extension');
    const length = head.u32(4, 'qcow2 header extension');
    if (type === TYPE.end) break;
    if (length > end - at - 8)
      throw new FormatError('malformed', 'qcow2 header extension', at, `${length} bytes, the header ends before`);
    const content = Buffer.from(await source.read(at + 8, Math.min(length, MOST_BYTES)));
    if (type === TYPE.backingFormat) backingFormat = textOf(content);
    else if (type === TYPE.externalData) externalDataName = textOf(content);
    else if (type === TYPE.featureNames) addNames(content, featureNames);
    at += 8 + Math.ceil(length / 8) * 8;
  }
  return { backingFormat, externalDataName, featureNames };
}

/** Rows of a kind (0: incompatible), a bit and a name. */
function addNames(content: Buffer, names: Map<number, string>): void {
  for (let at = 0; at + FEATURE_ROW <= content.length; at += FEATURE_ROW)
    if (content[at] === 0) names.set(content[at + 1] ?? 0, textOf(content.subarray(at + 2, at + FEATURE_ROW)));
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}
