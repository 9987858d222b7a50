/**
 * Feature flags of version 5. Those of `compat` and `ro_compat` (free inode, reverse mapping, reference count B+trees)
 * change nothing for who only reads.
 */
export const INCOMPATIBLE = {
  ftype: 1 << 0,
  sparseInodes: 1 << 1,
  metaUuid: 1 << 2,
  bigTime: 1 << 3,
  needsRepair: 1 << 4,
  largeExtentCounts: 1 << 5,
  exchangeRange: 1 << 6,
  parentPointers: 1 << 7,
  metadataDirectory: 1 << 8,
  zoned: 1 << 9,
  zoneGaps: 1 << 10,
} as const;

/**
 * Flags with which files of the data section are found as without them. Realtime files, which `zoned` makes the usual
 * ones, are refused one by one.
 */
const READ = Object.values(INCOMPATIBLE).reduce((mask, bit) => mask | bit, 0);

/** The bits of a set of incompatible features that aren't known here, as `bit 11`. */
export function unknownFeatures(flags: number): string[] {
  const names: string[] = [];
  for (let bit = 0; bit < 32; bit++) {
    if (((flags & ~READ) >>> bit) % 2 !== 0) names.push(`bit ${bit}`);
  }
  return names;
}

/** Version 4's: `sb_versionnum`. */
export const VERSION = { mask: 0x000f, directory2: 0x2000, asciiCaseless: 0x4000, more: 0x8000 } as const;
/** Version 4's: `sb_features2`. */
export const FEATURES2_FTYPE = 0x200;
