import { ASSET_GROUPS, ASSET_IDS, ASSETS } from '../debian/assets.ts';

const WIDTH = 24;
const IDS = ASSET_IDS.map((id) => `  ${id.padEnd(WIDTH)}${ASSETS[id].title}`).join('\n');
const GROUPS = [...ASSET_GROUPS].map(([name, ids]) => `  ${name.padEnd(WIDTH)}${ids[0]} to ${ids.at(-1)}`).join('\n');

export const USAGE = `A real kvm_amd without the hardware, and the Debian packages that tests need.

  main.ts fetch [--update] [ID...]   fetch into the cache (default: all); --update: today's versions
  main.ts list [--json]              what is in the cache
  main.ts path ID                    the file of an asset
  main.ts run [OPTIONS] -- COMMAND   run a command in a test host, on this machine's files

  run:  --kernel host-6.12|host-newest   default host-6.12
        --memory MIB                     default 2048
        --cpus N                         default 1
        --timeout SECONDS                for all of it, boot included
        --writable FOLDER                changes there stay (else they go with the host); may be repeated
        --quiet                          no progress
  The exit status is the command's own.

Assets:
${IDS}

Several at once:
${GROUPS}

The cache is $UNPIN_CACHE, else $XDG_CACHE_HOME/unpin, else ~/.cache/unpin.
`;
