/** Names that images of the set bear, fixed so that the same recipe makes the same image. */
export const UUIDS = {
  root: '5a1b7c0e-43d2-4f8a-9a55-0d6f2c1e7b01',
  boot: '5a1b7c0e-43d2-4f8a-9a55-0d6f2c1e7b02',
  disk: '5a1b7c0e-43d2-4f8a-9a55-0d6f2c1e7b03',
} as const;

/** A FAT's serial number: as its maker takes it, and as loaders write it. */
export const FAT_SERIAL = '1f2e3d4c';
export const FAT_UUID = '1F2E-3D4C';

export const MACHINE_ID = '0f1e2d3c4b5a69788796a5b4c3d2e1f0';
