/** All formats that are made hostile. */
import type { HostileFormat } from './format.ts';
import { ext } from './formats/ext.ts';
import { fat } from './formats/fat.ts';
import { bzImage, elf, payloads, uki } from './formats/kernels.ts';
import { bls, extlinuxTexts, grub, systemdBootTexts } from './formats/loaders.ts';
import { oci } from './formats/oci.ts';
import { gpt, mbr } from './formats/partitions.ts';
import { qcow2 } from './formats/qcow2.ts';
import { tar, tarInGzip } from './formats/tar.ts';
import { xfs } from './formats/xfs.ts';

export const FORMATS: readonly HostileFormat[] = [
  qcow2,
  tar,
  tarInGzip,
  oci,
  gpt,
  mbr,
  ext,
  fat,
  xfs,
  bzImage,
  elf,
  uki,
  ...payloads,
  grub,
  bls,
  systemdBootTexts,
  extlinuxTexts,
];
