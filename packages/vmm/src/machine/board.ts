import {
  ACPI_PM,
  AcpiPm,
  Bus,
  DOORBELL_PORTS,
  Doorbell,
  type DoorbellRequest,
  I8042_COMMAND_PORTS,
  I8042Command,
  type InterruptLine,
  IRQ,
  PORT,
  PORT_92_PORTS,
  Port92,
  RTC_PORTS,
  RtcCmos,
  UART_PORTS,
} from '../devices/index.ts';
import { SerialConsole } from './serial-console.ts';

/** What the devices need of the machine. */
export interface BoardOptions {
  /** One wire to the interrupt controller. */
  readonly line: (gsi: number) => InterruptLine;
  readonly consoleOut: SharedArrayBuffer;
  readonly consoleIn: SharedArrayBuffer;
  /** Wall clock of the RTC. */
  readonly wallClock: () => Date;
  readonly reset: () => void;
  readonly powerOff: () => void;
  /** Doorbells by their first port; only probe guests have any. */
  readonly doorbells: readonly {
    readonly port: number;
    readonly name: string;
    readonly handle: (request: DoorbellRequest) => number;
  }[];
}

/** The devices and where they are. Interrupt controllers and timer are KVM's own. */
export interface Board {
  readonly pio: Bus;
  readonly mmio: Bus;
  readonly serial: SerialConsole;
}

export function buildBoard(options: BoardOptions): Board {
  const { reset, powerOff } = options;
  const pio = new Bus('pio');
  const serial = new SerialConsole(options.line(IRQ.com1), options.consoleOut, options.consoleIn);
  pio.insert(PORT.com1, UART_PORTS, serial.uart);
  pio.insert(PORT.rtc, RTC_PORTS, new RtcCmos(options.wallClock));
  pio.insert(PORT.i8042Command, I8042_COMMAND_PORTS, new I8042Command(reset));
  pio.insert(PORT.port92, PORT_92_PORTS, new Port92(reset));
  pio.insert(PORT.acpiPm, ACPI_PM.ports, new AcpiPm({ powerOff, reset }));
  for (const { port, name, handle } of options.doorbells) pio.insert(port, DOORBELL_PORTS, new Doorbell(name, handle));
  return { pio, mmio: new Bus('mmio'), serial };
}
