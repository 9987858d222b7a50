import { DEVICE_FLAGS } from '../../uapi/constants.ts';

const { KVM_MP_STATE_RUNNABLE, KVM_MP_STATE_UNINITIALIZED, KVM_MP_STATE_INIT_RECEIVED, KVM_MP_STATE_HALTED } =
  DEVICE_FLAGS;

/** KVM_MP_STATE_* (API document, KVM_GET_MP_STATE). */
export const MP_STATE = {
  runnable: KVM_MP_STATE_RUNNABLE,
  uninitialized: KVM_MP_STATE_UNINITIALIZED,
  initReceived: KVM_MP_STATE_INIT_RECEIVED,
  halted: KVM_MP_STATE_HALTED,
  sipiReceived: 4,
} as const;

const STATES: readonly number[] = Object.values(MP_STATE);

export function isMpState(state: number): boolean {
  return STATES.includes(state);
}
