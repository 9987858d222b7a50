import type { FirmwareVerdict } from '@unpin/policy';
import { sha256 } from '../verdict/boot-set.ts';
import { readRegularFile } from '../verdict/read-file.ts';
import { openFirmware } from './firmware-image.ts';
import { judgeFirmware, judgeUnknownFirmware } from './judge-firmware.ts';

/** Largest firmware file that is read, in bytes: flash images have 2–16 MiB. */
export const FIRMWARE_LIMIT = 64 * 2 ** 20;

/** Inspects firmware's bytes; whatever they are, this ends with a verdict. Pure. */
export function inspectFirmware(file: Uint8Array, name: string): FirmwareVerdict {
  const image = openFirmware(file);
  const identity = { name, sha256: sha256(file), bytes: file.length };
  if (image === undefined) {
    const obstacle = 'firmware: no table of GUIDs before its end, as firmware of the OVMF family has';
    return { ...identity, statements: judgeUnknownFirmware(obstacle), obstacles: [obstacle] };
  }
  return { ...identity, statements: judgeFirmware(image), obstacles: image.problems };
}

/**
 * Inspects a firmware file.
 * @throws UnpinError where the file itself can't be read: FILE_NOT_FOUND, FILE_UNREADABLE, FILE_TOO_LARGE
 */
export function inspectFirmwareFile(path: string): FirmwareVerdict {
  return inspectFirmware(readRegularFile(path, FIRMWARE_LIMIT), path);
}
