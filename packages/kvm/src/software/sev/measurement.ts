import { createHmac } from 'node:crypto';

/** The firmware that this one follows: SEV API 0.24. */
export const API_MAJOR = 0;
export const API_MINOR = 24;
export const BUILD = 1;
/** Of the HMAC, and of the nonce behind it. */
export const MEASUREMENT_BYTES = 32;
export const NONCE_BYTES = 16;
/** What LAUNCH_MEASURE gives. */
export const MEASUREMENT_BLOB_BYTES = MEASUREMENT_BYTES + NONCE_BYTES;
/** Tells a launch measurement from other things that the same key signs. */
const LAUNCH_MEASUREMENT = 0x04;

export interface MeasuredLaunch {
  /** 32 bits. */
  readonly policy: number;
  /** SHA-256 of everything that LAUNCH_UPDATE took, in order. */
  readonly digest: Uint8Array;
  readonly nonce: Uint8Array;
  /** Transport integrity key, 16 bytes. */
  readonly integrityKey: Uint8Array;
}

/**
 * HMAC-SHA-256(0x04 ‖ API major ‖ API minor ‖ build ‖ policy ‖ launch digest ‖ nonce; TIK) (SEV API, LAUNCH_MEASURE).
 * Pure.
 */
export function launchMeasurement({ policy, digest, nonce, integrityKey }: MeasuredLaunch): Uint8Array {
  const head = new DataView(new ArrayBuffer(8));
  for (const [at, byte] of [LAUNCH_MEASUREMENT, API_MAJOR, API_MINOR, BUILD].entries()) head.setUint8(at, byte);
  head.setUint32(4, policy, true);
  const mac = createHmac('sha256', integrityKey);
  for (const part of [new Uint8Array(head.buffer), digest, nonce]) mac.update(part);
  return mac.digest();
}
