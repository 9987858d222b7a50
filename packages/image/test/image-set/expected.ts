/** The kernels of the test set, by their assets, and what each file must be found to be. */
import { STATEMENTS, type StatementId } from '@unpin/policy';
import type { PayloadFormat } from '../../src/index.ts';

export interface ExpectedKernel {
  /** The asset that has it. */
  readonly id: string;
  readonly container: 'bzimage';
  readonly payload: PayloadFormat;
  readonly bits: 32 | 64;
  /** What the banner's release must look like: Debian's pools move on, series and flavours stay. */
  readonly release: RegExp;
  readonly statements: ExpectedStatements;
}

/** Of each statement the answer and its level, 'yes proven'. */
export type ExpectedStatements = Readonly<Record<StatementId, string>>;

const LETTERS: Readonly<Record<string, string>> = {
  Y: 'yes proven',
  N: 'no proven',
  y: 'yes inferred',
  n: 'no inferred',
  '?': 'unknown unknown',
};

/**
 * Statements by a letter each, in the order of the catalogue: SEV, SEV-ES, SNP, page state changes, TDX, unaccepted
 * memory, reports, reports correctly. Small letters are inferred.
 */
export function statements(letters: string): ExpectedStatements {
  const each = letters.split(' ');
  return Object.fromEntries(STATEMENTS.map(({ id }, i) => [id, LETTERS[each[i] ?? ''] ?? ''])) as Record<
    StatementId,
    string
  >;
}

const LINUX_5_10 = statements('Y Y N N N N N N');
/** Debian's 6.1 is built without support for TDX guests. */
const LINUX_6_1 = statements('Y Y Y Y N N Y Y');
const LINUX_6_12 = statements('Y Y Y Y Y Y Y Y');
const LINUX_32_BIT = statements('N N N N N N N N');

/** What is no kernel of Linux, however much it looks like one, and what must be said of it. */
export interface ExpectedLookalike {
  readonly id: string;
  readonly says: RegExp;
}

export const EXPECTED_KERNELS: readonly ExpectedKernel[] = [
  kernel('kernel-5.10-cloud', 'lz4-legacy', /^5\.10\.\d+-\d+-cloud-amd64$/, LINUX_5_10),
  kernel('image-bullseye-amd64', 'xz', /^5\.10\.\d+-\d+-amd64$/, LINUX_5_10),
  kernel('image-bullseye-rt', 'xz', /^5\.10\.\d+-\d+-rt-amd64$/, LINUX_5_10),
  kernel('image-bullseye-686', 'xz', /^5\.10\.\d+-\d+-686$/, LINUX_32_BIT, 32),
  kernel('image-bullseye-686-pae', 'xz', /^5\.10\.\d+-\d+-686-pae$/, LINUX_32_BIT, 32),
  kernel('kernel-6.1-cloud', 'lz4-legacy', /^6\.1\.\d+-\d+-cloud-amd64$/, LINUX_6_1),
  kernel('kernel-6.1-generic', 'xz', /^6\.1\.\d+-\d+-amd64$/, LINUX_6_1),
  kernel('image-bookworm-rt', 'xz', /^6\.1\.\d+-\d+-rt-amd64$/, LINUX_6_1),
  kernel('image-bookworm-686-pae', 'xz', /^6\.1\.\d+-\d+-686-pae$/, LINUX_32_BIT, 32),
  kernel('kernel-6.12-cloud', 'zstd', /^6\.12\.\S+-cloud-amd64$/, LINUX_6_12),
  kernel('host-6.12', 'zstd', /^6\.12\.[\w.+]+-amd64$/, LINUX_6_12),
  kernel('image-trixie-amd64', 'zstd', /^6\.12\.[\w.+]+-amd64$/, LINUX_6_12),
  kernel('image-trixie-cloud', 'zstd', /^6\.12\.\S+-cloud-amd64$/, LINUX_6_12),
  kernel('image-trixie-rt', 'zstd', /^6\.12\.\S+-rt-amd64$/, LINUX_6_12),
  kernel('host-newest', 'zstd', /^\d+\.\d+\.[\w.+]+-amd64$/, LINUX_6_12),
  kernel('image-backports-cloud', 'zstd', /^\d+\.\d+\.\S+-cloud-amd64$/, LINUX_6_12),
  kernel('image-backports-rt', 'zstd', /^\d+\.\d+\.\S+-rt-amd64$/, LINUX_6_12),
  kernel('image-sid-amd64', 'zstd', /^\d+\.\d+\.[\w.+]+-amd64$/, LINUX_6_12),
  kernel('image-sid-cloud', 'zstd', /^\d+\.\d+\.\S+-cloud-amd64$/, LINUX_6_12),
  kernel('image-sid-rt', 'zstd', /^\d+\.\d+\.\S+-rt-amd64$/, LINUX_6_12),
];

export const EXPECTED_LOOKALIKES: readonly ExpectedLookalike[] = [
  // These three carry the setup header of the boot protocol.
  { id: 'lookalike-memtest', says: /HdrS, but no payload/ },
  { id: 'lookalike-ipxe', says: /2\.07; 2\.08 is the first/ },
  { id: 'lookalike-grub-bios', says: /2\.03; 2\.08 is the first/ },
  { id: 'lookalike-xen', says: /neither an ELF nor a bzImage/ },
  { id: 'lookalike-grub-efi', says: /neither an ELF nor a bzImage/ },
];

function kernel(
  id: string,
  payload: PayloadFormat,
  release: RegExp,
  expected: ExpectedStatements,
  bits: 32 | 64 = 64,
): ExpectedKernel {
  return { id, container: 'bzimage', payload, bits, release, statements: expected };
}
