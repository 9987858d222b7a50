/** Status codes of the firmware that are given here (SEV API, "Status codes"). */
export const STATUS = {
  success: 0,
  invalidGuestState: 0x02,
  invalidLength: 0x04,
  policyFailure: 0x07,
  invalidAddress: 0x09,
  asidOwned: 0x0c,
  invalidGuest: 0x10,
  unsupported: 0x15,
} as const;

export type FirmwareStatus = (typeof STATUS)[keyof typeof STATUS];

/** The firmware refuses a command. */
export class FirmwareRefusal extends Error {
  override readonly name = 'FirmwareRefusal';
  readonly status: FirmwareStatus;

  constructor(status: FirmwareStatus, why: string) {
    super(why);
    this.status = status;
  }
}
