import { ByteDevice } from '../device.ts';

/** Offset 0 is data (port 0x60), offset 4 status and command (0x64); what lies between belongs to other devices. */
export const I8042_COMMAND_PORTS = 1;

/** Pulse output line 0, which on a PC is wired to the processor's reset. */
const COMMAND_RESET = 0xfe;

/**
 * Of the keyboard controller only what Linux reboots with (`reboot=k`): the command port. Its status says that nothing
 * is waiting, so a command may be written; there is no keyboard behind it.
 */
export class I8042Command extends ByteDevice {
  override readonly name = 'i8042';
  readonly #reset: () => void;

  constructor(reset: () => void) {
    super();
    this.#reset = reset;
  }

  /** It keeps nothing. */
  override save(): object {
    return {};
  }

  override restore(): void {}

  protected override readByte(): number {
    return 0;
  }

  protected override writeByte(_offset: number, value: number): void {
    if (value === COMMAND_RESET) this.#reset();
  }
}
