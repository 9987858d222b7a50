import { ByteDevice } from '../device.ts';
import { ACPI_PM } from '../ports.ts';

export interface AcpiPmOptions {
  /** The guest has switched itself off (S5). */
  readonly powerOff: () => void;
  /** The guest has written the FADT's reset register. */
  readonly reset: () => void;
}

/** PM1 control, low byte: SCI_EN, that ACPI is on. High byte: SLP_TYP in bits 4:2, SLP_EN in bit 5 (ACPI 6.5, 4.8.3.2). */
const SCI_ENABLED = 0x01;
const SLEEP_TYPE_SHIFT = 2;
const SLEEP_TYPE_MASK = 0x07;
const SLEEP_ENABLE = 0x20;

export interface AcpiPmState {
  readonly enabled: readonly number[];
  readonly controlHigh: number;
}

/**
 * ACPI's fixed hardware as far as a guest needs it to end: PM1a event and control registers and the reset register.
 * No event ever comes; what the guest enables is kept, since it reads it back.
 */
export class AcpiPm extends ByteDevice {
  override readonly name = 'acpi-pm';
  readonly #options: AcpiPmOptions;
  /** PM1 enable, two bytes; PM1 control's SLP_TYP. */
  readonly #enabled = new Uint8Array(2);
  #controlHigh = 0;

  constructor(options: AcpiPmOptions) {
    super();
    this.#options = options;
  }

  override save(): AcpiPmState {
    return { enabled: [...this.#enabled], controlHigh: this.#controlHigh };
  }

  override restore({ enabled, controlHigh }: AcpiPmState): void {
    this.#enabled.set(enabled);
    this.#controlHigh = controlHigh;
  }

  protected override readByte(offset: number): number {
    switch (offset) {
      case ACPI_PM.event + 2:
      case ACPI_PM.event + 3:
        return this.#enabled[offset - ACPI_PM.event - 2] ?? 0;
      case ACPI_PM.control:
        return SCI_ENABLED;
      case ACPI_PM.control + 1:
        return this.#controlHigh;
      default:
        // Status (nothing has happened), the reset register, and what is reserved.
        return 0;
    }
  }

  protected override writeByte(offset: number, value: number): void {
    switch (offset) {
      case ACPI_PM.event + 2:
      case ACPI_PM.event + 3:
        this.#enabled[offset - ACPI_PM.event - 2] = value;
        break;
      case ACPI_PM.control + 1:
        // SLP_EN reads as zero.
        this.#controlHigh = value & ~SLEEP_ENABLE;
        if ((value & SLEEP_ENABLE) !== 0 && ((value >> SLEEP_TYPE_SHIFT) & SLEEP_TYPE_MASK) === ACPI_PM.sleepTypeOff)
          this.#options.powerOff();
        break;
      case ACPI_PM.reset:
        if (value === ACPI_PM.resetValue) this.#options.reset();
        break;
      default:
    }
  }
}
