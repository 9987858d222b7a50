/** Registers and bits of the 16550A (National Semiconductor PC16550D data sheet, section 8). */

/** Ports that it takes. */
export const UART_PORTS = 8;
/** Receiver and transmitter FIFO depth, in bytes. */
export const FIFO_DEPTH = 16;

/** IER: which sources interrupt. */
export const IER = { receive: 0x01, transmit: 0x02, lineStatus: 0x04, modemStatus: 0x08, implemented: 0x0f } as const;

/** IIR: bit 0 clear says that one is pending, bits 3:1 which; bits 7:6 that the FIFOs are on. */
export const IIR = {
  none: 0x01,
  modemStatus: 0x00,
  transmit: 0x02,
  receive: 0x04,
  lineStatus: 0x06,
  receiveTimeout: 0x0c,
  fifosEnabled: 0xc0,
} as const;

/** FCR, write only. */
export const FCR = { enable: 0x01, clearReceiver: 0x02, clearTransmitter: 0x04 } as const;
/** FCR bits 7:6: how many received bytes raise the interrupt. */
export const TRIGGER_LEVELS: readonly number[] = [1, 4, 8, 14];

/** LCR: the divisor latch takes the place of registers 0 and 1. */
export const LCR_DLAB = 0x80;

/** MCR */
export const MCR = { dtr: 0x01, rts: 0x02, out1: 0x04, out2: 0x08, loopback: 0x10, implemented: 0x1f } as const;

/** LSR */
export const LSR = { dataReady: 0x01, overrun: 0x02, transmitterEmpty: 0x60 } as const;

/** MSR: lines in the high half, that they changed in the low half. */
export const MSR = { cts: 0x10, dsr: 0x20, ri: 0x40, dcd: 0x80, lines: 0xf0 } as const;
/** A terminal that is always there: carrier, ready to talk, ready to listen. */
export const CONNECTED = MSR.dcd | MSR.dsr | MSR.cts;
