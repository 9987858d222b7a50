import { ByteDevice, type InterruptLine } from '../device.ts';
import { Receiver, type ReceiverState } from './receiver.ts';
import { CONNECTED, FCR, IER, IIR, LCR_DLAB, LSR, MCR, MSR } from './registers.ts';

export interface UartOptions {
  readonly line: InterruptLine;
  /** A byte that the guest sent. */
  readonly transmit: (byte: number) => void;
  /** The receiver has room again after it had none: whoever holds input back may go on. */
  readonly room?: () => void;
}

export interface UartState {
  readonly receiver: ReceiverState;
  readonly ier: number;
  readonly fifos: boolean;
  readonly lcr: number;
  readonly mcr: number;
  readonly scratch: number;
  readonly divisor: number;
  readonly transmitPending: boolean;
  readonly modemLines: number;
  readonly modemDelta: number;
  /** Of the interrupt line, which the controller has as well. */
  readonly level: 0 | 1;
}

/** One register as the driver sees it. */
interface Row {
  readonly name: string;
  readonly read: (uart: Uart16550) => number;
  readonly write: (uart: Uart16550, value: number) => void;
}

/** A serial port as PCs have it. The transmitter is always empty again at once; input comes through `receive`. */
export class Uart16550 extends ByteDevice {
  override readonly name = 'uart-16550';
  readonly #options: UartOptions;
  readonly #receiver = new Receiver();
  #ier = 0;
  #fifos = false;
  #lcr = 0;
  #mcr = 0;
  #scratch = 0;
  #divisor = 0x000c;
  /** THRE interrupt: set when the transmitter runs empty, cleared by reading it from IIR or by writing THR. */
  #transmitPending = false;
  #modemLines: number = CONNECTED;
  #modemDelta = 0;
  #level: 0 | 1 = 0;

  constructor(options: UartOptions) {
    super();
    this.#options = options;
  }

  override save(): UartState {
    return {
      receiver: this.#receiver.save(),
      ier: this.#ier,
      fifos: this.#fifos,
      lcr: this.#lcr,
      mcr: this.#mcr,
      scratch: this.#scratch,
      divisor: this.#divisor,
      transmitPending: this.#transmitPending,
      modemLines: this.#modemLines,
      modemDelta: this.#modemDelta,
      level: this.#level,
    };
  }

  /** The line isn't touched: its controller was restored with it. */
  override restore(state: UartState): void {
    this.#receiver.restore(state.receiver);
    this.#ier = state.ier;
    this.#fifos = state.fifos;
    this.#lcr = state.lcr;
    this.#mcr = state.mcr;
    this.#scratch = state.scratch;
    this.#divisor = state.divisor;
    this.#transmitPending = state.transmitPending;
    this.#modemLines = state.modemLines;
    this.#modemDelta = state.modemDelta;
    this.#level = state.level;
  }

  /**
   * Input from outside: takes as many bytes as the receiver has room for and says how many; the rest is the caller's to
   * keep until `room`. In loopback the line is cut, so nothing is taken.
   */
  receive(bytes: Uint8Array): number {
    if (this.#looped) return 0;
    const taken = Math.min(bytes.length, this.#receiver.room);
    for (const byte of bytes.subarray(0, taken)) this.#receiver.put(byte);
    this.#update();
    return taken;
  }

  protected override readByte(offset: number): number {
    return this.#row(offset)?.read(this) ?? 0xff;
  }

  protected override writeByte(offset: number, value: number): void {
    this.#row(offset)?.write(this, value);
  }

  #row(offset: number): Row | undefined {
    const divisor = (this.#lcr & LCR_DLAB) === 0 ? undefined : Uart16550.#DIVISOR_ROWS[offset];
    return divisor ?? Uart16550.#ROWS[offset];
  }

  /** Offsets 0–7 with DLAB clear. */
  static readonly #ROWS: readonly Row[] = [
    { name: 'RBR/THR', read: (uart) => uart.#readData(), write: (uart, value) => uart.#send(value) },
    { name: 'IER', read: (uart) => uart.#ier, write: (uart, value) => uart.#setInterrupts(value) },
    { name: 'IIR/FCR', read: (uart) => uart.#identify(), write: (uart, value) => uart.#setFifos(value) },
    { name: 'LCR', read: (uart) => uart.#lcr, write: (uart, value) => void (uart.#lcr = value) },
    { name: 'MCR', read: (uart) => uart.#mcr, write: (uart, value) => uart.#setModemControl(value) },
    { name: 'LSR', read: (uart) => uart.#lineStatus(), write: () => {} },
    { name: 'MSR', read: (uart) => uart.#modemStatus(), write: () => {} },
    { name: 'SCR', read: (uart) => uart.#scratch, write: (uart, value) => void (uart.#scratch = value) },
  ];

  /** With DLAB set: the divisor in place of data and IER. */
  static readonly #DIVISOR_ROWS: readonly Row[] = [
    {
      name: 'DLL',
      read: (uart) => uart.#divisor & 0xff,
      write: (uart, value) => void (uart.#divisor = (uart.#divisor & 0xff00) | value),
    },
    {
      name: 'DLM',
      read: (uart) => uart.#divisor >> 8,
      write: (uart, value) => void (uart.#divisor = (uart.#divisor & 0xff) | (value << 8)),
    },
  ];

  get #looped(): boolean {
    return (this.#mcr & MCR.loopback) !== 0;
  }

  #readData(): number {
    const wasFull = this.#receiver.room === 0;
    const byte = this.#receiver.take();
    this.#update();
    if (wasFull) this.#options.room?.();
    return byte;
  }

  #send(byte: number): void {
    if (this.#looped) this.#receiver.put(byte);
    else this.#options.transmit(byte);
    // Empty, full and empty again: the line goes down and up, so that an edge-triggered controller sees a new request.
    this.#transmitPending = false;
    this.#update();
    this.#transmitPending = true;
    this.#update();
  }

  #setInterrupts(value: number): void {
    const before = this.#ier;
    this.#ier = value & IER.implemented;
    // Enabling the transmitter's interrupt while it is empty raises it at once; drivers test for that.
    if ((before & IER.transmit) === 0 && (this.#ier & IER.transmit) !== 0) this.#transmitPending = true;
    this.#update();
  }

  #setFifos(value: number): void {
    this.#fifos = (value & FCR.enable) !== 0;
    this.#receiver.configure(this.#fifos, value >> 6);
    if ((value & FCR.clearReceiver) !== 0) this.#receiver.clear();
    this.#update();
    this.#options.room?.();
  }

  #setModemControl(value: number): void {
    const wasLooped = this.#looped;
    this.#mcr = value & MCR.implemented;
    const lines = this.#looped ? this.#loopedLines() : CONNECTED;
    const changed = (lines ^ this.#modemLines) & MSR.lines;
    // RI has a delta for its falling edge only.
    const falling = ~lines & MSR.ri;
    this.#modemDelta |= ((changed & ~MSR.ri) | (changed & falling)) >> 4;
    this.#modemLines = lines;
    this.#update();
    if (wasLooped && !this.#looped) this.#options.room?.();
  }

  /** Data sheet 8.6.6: in loopback the outputs drive the inputs. */
  #loopedLines(): number {
    const on = (output: number, input: number) => ((this.#mcr & output) === 0 ? 0 : input);
    return on(MCR.rts, MSR.cts) | on(MCR.dtr, MSR.dsr) | on(MCR.out1, MSR.ri) | on(MCR.out2, MSR.dcd);
  }

  #lineStatus(): number {
    const status =
      LSR.transmitterEmpty | (this.#receiver.ready ? LSR.dataReady : 0) | (this.#receiver.overrun ? LSR.overrun : 0);
    this.#receiver.clearOverrun();
    this.#update();
    return status;
  }

  #modemStatus(): number {
    const status = this.#modemLines | this.#modemDelta;
    this.#modemDelta = 0;
    this.#update();
    return status;
  }

  /** Reading IIR takes back the transmitter's request if that is what it reports. */
  #identify(): number {
    const source = this.#source();
    if (source === IIR.transmit) {
      this.#transmitPending = false;
      this.#update();
    }
    return source | (this.#fifos ? IIR.fifosEnabled : 0);
  }

  /** The pending source of highest priority. Too few bytes for the trigger time out at once: no line is that slow. */
  #source(): number {
    if ((this.#ier & IER.lineStatus) !== 0 && this.#receiver.overrun) return IIR.lineStatus;
    if ((this.#ier & IER.receive) !== 0 && this.#receiver.ready)
      return this.#receiver.atTrigger ? IIR.receive : IIR.receiveTimeout;
    if ((this.#ier & IER.transmit) !== 0 && this.#transmitPending) return IIR.transmit;
    if ((this.#ier & IER.modemStatus) !== 0 && this.#modemDelta !== 0) return IIR.modemStatus;
    return IIR.none;
  }

  /** On a PC the request reaches the controller only through OUT2; in loopback OUT2 is cut off. */
  #update(): void {
    const gate = (this.#mcr & MCR.out2) !== 0 && !this.#looped;
    const level = gate && this.#source() !== IIR.none ? 1 : 0;
    if (level === this.#level) return;
    this.#level = level;
    this.#options.line.set(level);
  }
}
