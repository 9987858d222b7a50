/** From an asset's row to the packages of today. */
import { UnpinError } from '@unpin/contract/errors';
import type { AssetId, AssetSource } from './assets.ts';
import type { Offer, PrivateApt } from './private-apt.ts';
import { compareVersions } from './version.ts';

/** What an asset is made of: the version that it is known by, and all packages. */
export interface Resolved {
  readonly version: string;
  readonly packages: readonly Offer[];
}

/**
 * Asks the group's apt, whose indexes are fresh. Throws ASSET_UNAVAILABLE where no suite offers such a package.
 * @param except versions that the indexes name and the mirror doesn't have
 */
export async function resolve(
  id: AssetId,
  source: Exclude<AssetSource, { readonly kind: 'shell-initrd' }>,
  apt: PrivateApt,
  except: ReadonlySet<string> = new Set(),
): Promise<Resolved> {
  switch (source.kind) {
    case 'packages': {
      const offers = await apt.offers(source.prefix, source.name);
      const newest = newestOffer(offers.filter(({ version }) => !except.has(version)));
      if (newest === undefined) throw missing(id, source.name.source, source.group);
      const parts = source.with;
      const also =
        parts === undefined
          ? []
          : (await apt.dependencies(newest)).map(exactDependency).filter((each) => each !== undefined);
      return { version: newest.version, packages: [newest, ...also.filter(({ name }) => parts?.test(name))] };
    }
    case 'closure': {
      const packages = await apt.closure(source.names);
      const itself = packages.find(({ name }) => name === source.names[0]);
      if (itself === undefined) throw missing(id, source.names[0], source.group);
      return { version: itself.version, packages };
    }
  }
}

/** Of all offers the newest by Debian's order of versions; among equal versions any. */
export function newestOffer(offers: readonly Offer[]): Offer | undefined {
  return offers.toSorted((a, b) => compareVersions(b.version, a.version))[0];
}

/** A dependency on one exact version, `name (= version)`; undefined for any other. */
export function exactDependency(text: string): Offer | undefined {
  const [, name, version] = /^(\S+) \(= (\S+)\)$/.exec(text.trim()) ?? [];
  return name === undefined || version === undefined ? undefined : { name, version };
}

function missing(id: AssetId, pattern: string, group: string): UnpinError {
  return new UnpinError('ASSET_UNAVAILABLE', {
    subject: id,
    found: `no package like ${pattern} in Debian ${group}`,
    next: 'look at https://packages.debian.org for where it went',
  });
}
