/** A guest's state as the firmware tells it (SEV API, GUEST_STATUS; for KVM the same numbers). */
const STATES = ['uninit', 'launch-update', 'launch-secret', 'running', 'receiving', 'sending'] as const;

export type SevGuestState = (typeof STATES)[number] | 'unknown';

/** `running` for 3. */
export function guestStateName(state: number): SevGuestState {
  return STATES[state] ?? 'unknown';
}
