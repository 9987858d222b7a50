/**
 * The hash that directories are indexed by (xfs_da_hashname): four bytes at a time, each shifted by 7 more than the
 * next, over the hash so far turned by 28.
 */
export function nameHash(name: Uint8Array): number {
  let hash = 0;
  for (let at = 0; at < name.length; at += 4) {
    const group = name.subarray(at, at + 4);
    let mixed = 0;
    for (const byte of group) mixed = (mixed << 7) ^ byte;
    const turn = 7 * group.length;
    hash = mixed ^ ((hash << turn) | (hash >>> (32 - turn)));
  }
  return hash >>> 0;
}
