import { createHash, type Hash } from 'node:crypto';
import { decodeSevPolicy } from '../../sev/policy.ts';
import { API_MAJOR, API_MINOR, launchMeasurement, MEASUREMENT_BLOB_BYTES, NONCE_BYTES } from './measurement.ts';
import { FirmwareRefusal, STATUS } from './status.ts';

/** A guest's state (SEV API, "Guest state machine"; the numbers are GUEST_STATUS's). */
export const STATE = { uninitialized: 0, launchUpdate: 1, launchSecret: 2, running: 3 } as const;
export type GuestState = (typeof STATE)[keyof typeof STATE];

/** Of the transport integrity key. */
const KEY_BYTES = 16;

/** Where random bytes come from. */
export type RandomBytes = (length: number) => Uint8Array;

/** A guest whose launch is measured, for a snapshot. As secret as its memory. */
export interface GuestContextState {
  readonly handle: number;
  readonly policy: number;
  readonly integrityKey: Uint8Array;
  readonly state: GuestState;
}

/**
 * What the firmware keeps of one guest:
 *
 *     LAUNCH_START → launchUpdate → LAUNCH_MEASURE → launchSecret → LAUNCH_FINISH → running
 *
 * A command in another state is refused with INVALID_GUEST_STATE and changes nothing.
 */
export class GuestContext {
  readonly handle: number;
  readonly policy: number;
  readonly #random: RandomBytes;
  readonly #integrityKey: Uint8Array;
  #state: GuestState = STATE.launchUpdate;
  #measured: Hash | null = createHash('sha256');

  /** LAUNCH_START. Without its owner's session the guest gets keys that nobody else knows. */
  constructor(handle: number, policy: number, random: RandomBytes, integrityKey: Uint8Array = random(KEY_BYTES)) {
    const { encryptedState, apiMajor, apiMinor } = decodeSevPolicy(policy);
    if (encryptedState) throw new FirmwareRefusal(STATUS.policyFailure, 'SEV-ES is not built');
    if (apiMajor > API_MAJOR || (apiMajor === API_MAJOR && apiMinor > API_MINOR))
      throw new FirmwareRefusal(STATUS.policyFailure, `the policy asks for API ${apiMajor}.${apiMinor}`);
    this.handle = handle;
    this.policy = policy >>> 0;
    this.#random = random;
    this.#integrityKey = integrityKey;
  }

  static resume({ handle, policy, integrityKey, state }: GuestContextState, random: RandomBytes): GuestContext {
    const guest = new GuestContext(handle, policy, random, integrityKey);
    guest.#state = state;
    guest.#measured = null;
    return guest;
  }

  /** Null while the launch is being measured: a digest that has begun can't be saved. */
  save(): GuestContextState | null {
    if (this.#measured !== null) return null;
    return { handle: this.handle, policy: this.policy, integrityKey: this.#integrityKey, state: this.#state };
  }

  get state(): GuestState {
    return this.#state;
  }

  /** LAUNCH_UPDATE_DATA: plain bytes that are about to be encrypted in place. */
  measure(plain: Uint8Array): void {
    this.mustBeUpdating();
    this.#measured?.update(plain);
  }

  mustBeUpdating(): void {
    this.#mustBe(STATE.launchUpdate);
  }

  /** LAUNCH_MEASURE: the measurement and its nonce, once. `room` in bytes. */
  finishMeasurement(room: number): Uint8Array {
    this.#mustBe(STATE.launchUpdate);
    if (room < MEASUREMENT_BLOB_BYTES) throw new FirmwareRefusal(STATUS.invalidLength, `${room} bytes are too few`);
    const nonce = this.#random(NONCE_BYTES);
    const digest = this.#measured?.digest() ?? new Uint8Array();
    const { policy } = this;
    const blob = new Uint8Array(MEASUREMENT_BLOB_BYTES);
    const measurement = launchMeasurement({ policy, digest, nonce, integrityKey: this.#integrityKey });
    blob.set(measurement);
    blob.set(nonce, measurement.length);
    this.#measured = null;
    this.#state = STATE.launchSecret;
    return blob;
  }

  /** LAUNCH_FINISH. */
  finish(): void {
    this.#mustBe(STATE.launchSecret);
    this.#state = STATE.running;
  }

  /** DBG_DECRYPT and DBG_ENCRYPT. */
  mustBeDebuggable(): void {
    if (decodeSevPolicy(this.policy).noDebug)
      throw new FirmwareRefusal(STATUS.policyFailure, 'the policy forbids debugging');
  }

  #mustBe(state: GuestState): void {
    if (this.#state !== state)
      throw new FirmwareRefusal(STATUS.invalidGuestState, `the guest is in state ${this.#state}, not ${state}`);
  }
}
