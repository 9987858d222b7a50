import { readSync, writeSync } from 'node:fs';
import { PacketReader, packet } from './gdb-packets.ts';

/**
 * Bytes that one packet of QEMU's stub may carry as hexadecimal (MAX_PACKET_LENGTH is 4096, a command takes some of it).
 */
const MOST = 1024;

/** A stub that answered with an error, or closed. */
export class GdbError extends Error {
  override readonly name: string = 'GdbError';
}

/** QEMU has ended, and its stub with it. */
export class GdbEnded extends GdbError {
  constructor() {
    super('gdbstub: QEMU has ended');
  }
}

/**
 * A client of QEMU's gdbstub over two FIFOs (`-chardev pipe`), because those can be read and written without going through
 * the event loop: a stepped machine answers at once. What bounds a wait is the time that QEMU itself is given.
 */
export class GdbClient {
  readonly #toStub: number;
  readonly #fromStub: number;
  readonly #reader = new PacketReader();
  readonly #bytes = Buffer.alloc(1 << 16);

  /** File descriptors of the FIFOs, blocking. */
  constructor(toStub: number, fromStub: number) {
    this.#toStub = toStub;
    this.#fromStub = fromStub;
  }

  /** Sends a command and waits for its answer. Throws GdbError for `Enn` and for a stub that is gone. */
  ask(command: string): string {
    this.#send(command);
    const answer = this.#receive();
    if (/^E\d\d$/.test(answer)) throw new GdbError(`gdbstub: ${answer} to '${command.slice(0, 60)}'`);
    return answer;
  }

  /** A command whose answer is OK, or the stub can't do it. */
  order(command: string): void {
    const answer = this.ask(command);
    if (answer !== 'OK') throw new GdbError(`gdbstub: '${answer}' to '${command.slice(0, 60)}'`);
  }

  /** A command of QEMU's own monitor; answers what it prints. */
  monitor(command: string): string {
    this.#send(`qRcmd,${Buffer.from(command).toString('hex')}`);
    let text = '';
    for (;;) {
      const answer = this.#receive();
      if (answer === 'OK') return text;
      if (answer.startsWith('O')) text += Buffer.from(answer.slice(1), 'hex').toString();
      else throw new GdbError(`gdbstub: '${answer}' to monitor command '${command}'`);
    }
  }

  /** Goes on (`c`) or steps (`s`) and waits until the machine stops; answers the stop reply: `T05…`, or `W00` at its end. */
  resume(command: 'c' | 's'): string {
    this.#send(command);
    for (;;) {
      const answer = this.#receive();
      if (answer.startsWith('T') || answer.startsWith('S') || answer.startsWith('W')) return answer;
      if (!answer.startsWith('O')) throw new GdbError(`gdbstub: '${answer}' to '${command}'`);
    }
  }

  /** Lets the machine go on; the stub hears no more. */
  detach(): void {
    this.#send('D');
    this.#receive();
  }

  /** A file of the stub's (qXfer), such as its registers' description. */
  file(object: string, annex: string): string {
    let text = '';
    for (;;) {
      const answer = this.ask(`qXfer:${object}:read:${annex}:${text.length.toString(16)},800`);
      text += answer.slice(1);
      if (answer.startsWith('l')) return text;
      if (!answer.startsWith('m')) throw new GdbError(`gdbstub: '${answer.slice(0, 20)}' for ${annex}`);
    }
  }

  /** Physical where the stub was put into its physical mode, else linear. */
  readMemory(address: number, length: number): Buffer {
    const pieces: Buffer[] = [];
    for (let done = 0; done < length; done += MOST) {
      const size = Math.min(MOST, length - done);
      pieces.push(Buffer.from(this.ask(`m${(address + done).toString(16)},${size.toString(16)}`), 'hex'));
    }
    return Buffer.concat(pieces);
  }

  writeMemory(address: number, data: Uint8Array): void {
    for (let done = 0; done < data.length; done += MOST) {
      const piece = data.subarray(done, done + MOST);
      this.order(
        `M${(address + done).toString(16)},${piece.length.toString(16)}:${Buffer.from(piece).toString('hex')}`,
      );
    }
  }

  #send(command: string): void {
    const bytes = Buffer.from(packet(command), 'latin1');
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#toStub, bytes, done);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EPIPE') throw new GdbEnded();
      throw error;
    }
  }

  #receive(): string {
    for (;;) {
      const found = this.#reader.next();
      if (found !== undefined) return found;
      const count = readSync(this.#fromStub, this.#bytes);
      if (count === 0) throw new GdbEnded();
      this.#reader.push(this.#bytes.subarray(0, count));
    }
  }
}
