/** Debian's suites that we take packages from, in groups: within one, packages fit each other and the newest is taken. */

/** Which of Debian's two archives: security updates have their own. */
export type Archive = 'debian' | 'debian-security';

export interface Suite {
  readonly archive: Archive;
  readonly name: string;
}

export type SuiteGroup = 'bullseye' | 'bookworm' | 'newest' | 'sid' | 'i386' | 'installer';

/**
 * - `bullseye` is where Linux 5.10 lives.
 * - `bookworm` has 6.1, and 6.12 beside it.
 * - `newest` is the release whose backports carry the newest kernel.
 * - `sid` is where the next release grows.
 * - `i386` has kernels for 32-bit x86.
 * - `installer` has the packages of Debian's installer: small ones, and small indexes.
 */
export const SUITES: Readonly<Record<SuiteGroup, readonly Suite[]>> = {
  bullseye: [
    { archive: 'debian', name: 'bullseye' },
    { archive: 'debian', name: 'bullseye-updates' },
    { archive: 'debian-security', name: 'bullseye-security' },
  ],
  bookworm: [
    { archive: 'debian', name: 'bookworm' },
    { archive: 'debian', name: 'bookworm-updates' },
    { archive: 'debian', name: 'bookworm-backports' },
    { archive: 'debian-security', name: 'bookworm-security' },
  ],
  newest: [
    { archive: 'debian', name: 'trixie' },
    { archive: 'debian', name: 'trixie-updates' },
    { archive: 'debian', name: 'trixie-backports' },
    { archive: 'debian-security', name: 'trixie-security' },
  ],
  sid: [{ archive: 'debian', name: 'sid' }],
  // Without security updates: of each release the kernel of its last installer is one of its own, and stays for months.
  installer: [
    { archive: 'debian', name: 'bullseye' },
    { archive: 'debian', name: 'trixie' },
  ],
  // The last two releases with a kernel for 32-bit x86.
  i386: [
    { archive: 'debian', name: 'bullseye' },
    { archive: 'debian', name: 'bookworm' },
  ],
};

/** What of the suites a group has: Debian's name of the processor, and which part of the archive. */
export function contentsOf(group: SuiteGroup): { readonly architecture: string; readonly component: string } {
  switch (group) {
    case 'bullseye':
    case 'bookworm':
    case 'newest':
    case 'sid':
      return { architecture: 'amd64', component: 'main' };
    case 'installer':
      return { architecture: 'amd64', component: 'main/debian-installer' };
    case 'i386':
      return { architecture: 'i386', component: 'main' };
  }
}

/** Base URLs of both archives on one mirror. */
export interface Mirror {
  readonly debian: string;
  readonly 'debian-security': string;
  /** An archived release's index is past its date for ever; its signature still holds. */
  readonly archived: boolean;
}

export const DEFAULT_MIRROR: Mirror = {
  debian: 'http://deb.debian.org/debian',
  'debian-security': 'http://deb.debian.org/debian-security',
  archived: false,
};

/** Where releases go when their support ends. */
export const ARCHIVE_MIRROR: Mirror = {
  debian: 'http://archive.debian.org/debian',
  'debian-security': 'http://archive.debian.org/debian-security',
  archived: true,
};

/** The sources.list of a group on a mirror, signatures checked with `keyring`. */
export function sourcesList(group: SuiteGroup, mirror: Mirror, keyring: string): string {
  const { architecture, component } = contentsOf(group);
  return SUITES[group]
    .map(
      ({ archive, name }) =>
        `deb [arch=${architecture} signed-by=${keyring}] ${mirror[archive]} ${name} ${component}\n`,
    )
    .join('');
}

/**
 * The mirror that the machine's own apt uses, from the repository URLs it names; what it does not name is the default.
 * A mirror of Debian is known by how its path ends.
 */
export function mirrorOf(repositories: readonly string[]): Mirror {
  const find = (archive: Archive): string | undefined =>
    repositories.map((url) => url.replace(/\/+$/, '')).find((url) => url.endsWith(`/${archive}`));
  return {
    debian: find('debian') ?? DEFAULT_MIRROR.debian,
    'debian-security': find('debian-security') ?? DEFAULT_MIRROR['debian-security'],
    archived: false,
  };
}
