export { Bus, type UnmappedCounts } from './bus.ts';
export type { Device, InterruptLine } from './device.ts';
export { DOORBELL_PORTS, Doorbell, type DoorbellRequest } from './doorbell/doorbell.ts';
export { IRQ, PORT } from './ports.ts';
export { I8042_COMMAND_PORTS, I8042Command } from './reset-control/i8042.ts';
export { PORT_92_PORTS, Port92 } from './reset-control/port-92.ts';
export { RTC_PORTS, RtcCmos } from './rtc-cmos/rtc-cmos.ts';
export { UART_PORTS } from './uart-16550/registers.ts';
export { Uart16550, type UartOptions } from './uart-16550/uart-16550.ts';
