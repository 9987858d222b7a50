/** The firmware that verdicts are tested with: of each suite Debian's OVMF, with all its builds beside the named one. */
import type { Asset } from './assets.ts';
import type { SuiteGroup } from './suites.ts';

export const IMAGE_FIRMWARE_IDS = [
  'ovmf-bullseye',
  'ovmf-bookworm',
  'ovmf-trixie',
  'ovmf-sid',
  'ovmf-sid-amdsev',
  'ovmf-sid-inteltdx',
] as const;

type ImageFirmwareId = (typeof IMAGE_FIRMWARE_IDS)[number];

function ovmf(group: SuiteGroup, title: string, name: string, file: RegExp): Asset {
  return {
    title: `OVMF of ${title}`,
    source: { kind: 'packages', group, prefix: name, name: new RegExp(`^${name}$`), without: ['usr/share/doc'] },
    file,
  };
}

const CODE = /^usr\/share\/OVMF\/OVMF_CODE_4M\.fd$/;

export const IMAGE_FIRMWARE: Readonly<Record<ImageFirmwareId, Asset>> = {
  'ovmf-bullseye': ovmf('bullseye', 'bullseye', 'ovmf', CODE),
  'ovmf-bookworm': ovmf('bookworm', 'bookworm', 'ovmf', CODE),
  'ovmf-trixie': ovmf('newest', 'trixie', 'ovmf', CODE),
  // Since 2026 the package is split by what the firmware is built for.
  'ovmf-sid': ovmf('sid', 'sid', 'ovmf-generic', CODE),
  'ovmf-sid-amdsev': ovmf('sid', 'sid for SEV-SNP', 'ovmf-amdsev', /^usr\/share\/ovmf\/OVMF\.amdsev\.fd$/),
  'ovmf-sid-inteltdx': ovmf('sid', 'sid for TDX', 'ovmf-inteltdx', /^usr\/share\/ovmf\/OVMF\.inteltdx(\.ms)?\.fd$/),
};
