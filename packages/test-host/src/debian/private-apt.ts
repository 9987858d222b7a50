/**
 * apt with a state of its own: sources, lists, caches and configuration are ours, the system's are neither read (but for
 * its mirror and how it reaches the network) nor written, nothing is installed, no rights are needed. apt checks the
 * signatures of the indexes and the checksums of packages.
 */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { UnpinError } from '@unpin/contract/errors';
import { runTool, ToolError } from '../run-tool.ts';
import {
  ARCHIVE_MIRROR,
  contentsOf,
  DEFAULT_MIRROR,
  type Mirror,
  mirrorOf,
  type SuiteGroup,
  sourcesList,
} from './suites.ts';

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

const UPDATE_MS = 300_000;
const QUERY_MS = 60_000;
const DOWNLOAD_MS = 1_800_000;

/** A version of a package that a suite offers. */
export interface Offer {
  readonly name: string;
  readonly version: string;
}

export class PrivateApt {
  readonly #folder: string;
  readonly #group: SuiteGroup;

  /** `folder` is the group's own, made where missing. */
  constructor(folder: string, group: SuiteGroup) {
    this.#folder = folder;
    this.#group = group;
  }

  /**
   * Fetches the group's indexes: from the mirror of the machine's own apt, else Debian's, else Debian's archive of old
   * releases. Throws ASSET_UNAVAILABLE with the last mirror's words.
   */
  async update(): Promise<void> {
    if (!existsSync(KEYRING))
      throw new UnpinError('ASSET_UNAVAILABLE', {
        subject: "Debian's packages",
        found: `no ${KEYRING}`,
        needed: "Debian's keys, to check signatures",
        next: 'apt-get install debian-archive-keyring',
      });
    const inherited = await inheritedConfiguration();
    let last: unknown;
    for (const mirror of await mirrors()) {
      this.#configure(mirror, inherited);
      try {
        // A transient failure would else leave old or missing lists behind and still end with 0.
        await this.#run('apt-get', ['-q', '-o', 'APT::Update::Error-Mode=any', 'update'], UPDATE_MS);
        return;
      } catch (error) {
        if (!(error instanceof ToolError)) throw error;
        last = error;
      }
    }
    throw unavailable(`Debian's ${this.#group} indexes`, last);
  }

  /** All versions of all packages whose names match, in no order. `prefix` is how they begin. */
  async offers(prefix: string, pattern: RegExp): Promise<Offer[]> {
    const { stdout } = await this.#run('apt-cache', ['pkgnames', prefix], QUERY_MS);
    const names = stdout
      .toString('utf8')
      .split('\n')
      .filter((name) => pattern.test(name));
    if (names.length === 0) return [];
    const table = await this.#run('apt-cache', ['madison', ...names], QUERY_MS);
    return parseMadison(table.stdout.toString('utf8'));
  }

  /** The direct dependencies of one version of a package, alternatives left out. */
  async dependencies(offer: Offer): Promise<string[]> {
    const { stdout } = await this.#run('apt-cache', ['show', `${offer.name}=${offer.version}`], QUERY_MS);
    const line = stdout
      .toString('utf8')
      .split('\n')
      .find((each) => each.startsWith('Depends: '));
    return (line?.slice('Depends: '.length) ?? '').split(/,\s*/).filter((each) => each !== '' && !each.includes('|'));
  }

  /** Downloads packages into `folder`; gives the paths of the .deb files. What is there already is checked, not fetched. */
  async download(offers: readonly Offer[], folder: string): Promise<string[]> {
    const names = offers.map(({ name, version }) => `${name}=${version}`);
    try {
      await this.#run('apt-get', ['-q', 'download', ...names], DOWNLOAD_MS, folder);
    } catch (error) {
      if (error instanceof ToolError) throw unavailable(names.join(' '), error);
      throw error;
    }
    return offers.map((offer) => join(folder, debName(folder, offer)));
  }

  /**
   * Packages and all that they depend on, as an empty system would need them, they themselves among them. The newest
   * of the release: apt takes backports only when asked.
   */
  async closure(names: readonly string[]): Promise<Offer[]> {
    const command = ['-q', '--simulate', '--no-install-recommends', 'install', ...names];
    const { stdout } = await this.#run('apt-get', command, QUERY_MS);
    return parseSimulation(stdout.toString('utf8'));
  }

  async #run(tool: string, args: readonly string[], timeoutMs: number, cwd?: string) {
    const env = { ...process.env, APT_CONFIG: join(this.#folder, 'apt.conf'), LC_ALL: 'C' };
    return await runTool(tool, args, { timeoutMs, env, ...(cwd === undefined ? {} : { cwd }) });
  }

  #configure(mirror: Mirror, inherited: readonly string[]): void {
    const at = (...names: string[]): string => join(this.#folder, ...names);
    for (const folder of [at('state', 'lists', 'partial'), at('cache', 'archives', 'partial')])
      mkdirSync(folder, { recursive: true });
    // apt takes an empty status file for a system with nothing installed: closures are then complete.
    if (!existsSync(at('status'))) writeFileSync(at('status'), '');
    writeFileSync(at('sources.list'), sourcesList(this.#group, mirror, KEYRING));
    const { architecture } = contentsOf(this.#group);
    const settings: Record<string, string> = {
      'Dir::State': at('state'),
      'Dir::State::status': at('status'),
      'Dir::Cache': at('cache'),
      'Dir::Etc::SourceList': at('sources.list'),
      'Dir::Etc::SourceParts': '/dev/null',
      'Dir::Etc::Main': '/dev/null',
      'Dir::Etc::Parts': '/dev/null',
      'Dir::Etc::Preferences': '/dev/null',
      'Dir::Etc::PreferencesParts': '/dev/null',
      'Acquire::Languages': 'none',
      'Acquire::Retries': '3',
      // Indexes are read once a fetch: small on disk beats fast to search.
      'Acquire::GzipIndexes': 'true',
      'Dir::Cache::pkgcache': '',
      'Dir::Cache::srcpkgcache': '',
      'APT::Architecture': architecture,
      'APT::Architectures': architecture,
      // Downloads stay with our user: the cache folder may be closed to apt's own.
      'APT::Sandbox::User': '',
      ...(mirror.archived ? { 'Acquire::Check-Valid-Until': 'false' } : {}),
    };
    const lines = Object.entries(settings).map(([key, value]) => `${key} ${JSON.stringify(value)};`);
    writeFileSync(at('apt.conf'), [...inherited, ...lines, ''].join('\n'));
  }
}

/** The table of `apt-cache madison`: package, version, source, separated by bars. */
export function parseMadison(table: string): Offer[] {
  return table.split('\n').flatMap((line) => {
    const [name, version] = line.split('|').map((cell) => cell.trim());
    return name === undefined || version === undefined || name === '' ? [] : [{ name, version }];
  });
}

/** The lines `Inst NAME (VERSION ORIGIN [ARCHITECTURE])` of `apt-get --simulate install`. */
export function parseSimulation(text: string): Offer[] {
  return [...text.matchAll(/^Inst (\S+) (?:\[\S+\] )?\((\S+) /gm)].map(([, name = '', version = '']) => ({
    name,
    version,
  }));
}

/** apt writes the epoch's colon as %3a in file names. */
function debName(folder: string, { name, version }: Offer): string {
  const start = `${name}_${version.replaceAll(':', '%3a')}_`;
  const found = readdirSync(folder).find((each) => each.startsWith(start) && /\.u?deb$/.test(each));
  if (found === undefined)
    throw new UnpinError('ASSET_UNAVAILABLE', { subject: `${name} ${version}`, found: 'no file' });
  return found;
}

/** Proxies, timeouts and the like: how this machine reaches a mirror, and how strict it is with dates. */
async function inheritedConfiguration(): Promise<string[]> {
  const { stdout } = await aptTool('apt-config', ['dump']);
  return stdout
    .toString('utf8')
    .split('\n')
    .filter((line) => /^Acquire::(https?|ftp|Check-|ForceIPv|Max-ValidTime|Proxy|Queue-Mode)/i.test(line));
}

/** Where to ask, in this order: the machine's own mirror, Debian's if that is another, the archive of old releases. */
async function mirrors(): Promise<Mirror[]> {
  const { stdout } = await aptTool('apt-get', ['indextargets', '--format', '$(REPO_URI)', 'Created-By: Packages']);
  const own = mirrorOf(stdout.toString('utf8').split('\n'));
  return isDeepStrictEqual(own, DEFAULT_MIRROR) ? [own, ARCHIVE_MIRROR] : [own, DEFAULT_MIRROR, ARCHIVE_MIRROR];
}

async function aptTool(tool: string, args: readonly string[]) {
  try {
    return await runTool(tool, args, { timeoutMs: QUERY_MS });
  } catch (error) {
    if (error instanceof ToolError && error.reason === 'missing')
      throw new UnpinError('ASSET_UNAVAILABLE', {
        subject: "Debian's packages",
        found: `no ${tool}`,
        needed: 'apt, as on Debian and its descendants',
        cause: error,
      });
    throw error;
  }
}

function unavailable(subject: string, cause: unknown): UnpinError {
  const words = cause instanceof ToolError ? cause.stderr.split('\n').filter((line) => /^[EW]: /.test(line)) : [];
  return new UnpinError('ASSET_UNAVAILABLE', {
    subject,
    found: words.length > 0 ? words.join('; ') : String(cause),
    next: 'check that this machine reaches a Debian mirror (apt-get update), then try again',
    cause,
  });
}
