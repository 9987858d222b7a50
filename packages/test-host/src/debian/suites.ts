/** Debian's suites that we take packages from, in groups: within one, packages fit each other and the newest is taken. */

/** Which of Debian's two archives: security updates have their own. */
export type Archive = 'debian' | 'debian-security';

export interface Suite {
  readonly archive: Archive;
  readonly name: string;
}

export type SuiteGroup = 'bullseye' | 'bookworm' | 'newest';

/**
 * - `bullseye` is where Linux 5.10 lives.
 * - `bookworm` has 6.1, and 6.12 beside it.
 * - `newest` is the release whose backports carry the newest kernel.
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
};

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
  return SUITES[group]
    .map(({ archive, name }) => `deb [arch=amd64 signed-by=${keyring}] ${mirror[archive]} ${name} main\n`)
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
