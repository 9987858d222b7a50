import { createServer, type Server, type Socket } from 'node:net';
import { Replay } from './replay.ts';

/** Console output kept for later readers, in bytes. */
const REPLAY_BYTES = 1024 * 1024;
/** A reader that is this far behind, in bytes, is let go: the guest must not wait for it. */
const MAX_BACKLOG = 8 * 1024 * 1024;

/**
 * The console as a byte socket: what was printed so far, then bytes both ways, for any number of readers. All of them
 * type into the same console, as on a real serial line.
 */
export class ConsoleServer {
  readonly replay = new Replay(REPLAY_BYTES);
  readonly #sockets = new Set<Socket>();
  readonly #onInput: (bytes: Uint8Array) => Promise<void>;
  #server: Server | undefined;

  /** @param onInput takes what was typed; while it does, no more is read from that reader */
  constructor(onInput: (bytes: Uint8Array) => Promise<void>) {
    this.#onInput = onInput;
  }

  /** @throws the error of listen(2), e.g. EADDRINUSE */
  async listen(path: string): Promise<void> {
    const server = createServer((socket) => this.#serve(socket));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, () => {
        server.off('error', reject);
        resolve();
      });
    });
  }

  /** Bytes that the guest printed. */
  print(bytes: Uint8Array): void {
    this.replay.append(bytes);
    for (const socket of this.#sockets) {
      socket.write(bytes);
      if (socket.writableLength > MAX_BACKLOG) socket.destroy();
    }
  }

  /** Sends what is left and closes; a reader that doesn't take it within `graceMs` is cut off. */
  async close(graceMs = 500): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    for (const socket of this.#sockets) socket.end();
    const cut = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy();
    }, graceMs);
    await closed;
    clearTimeout(cut);
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('data', (bytes: Buffer) => {
      socket.pause();
      void this.#onInput(bytes).finally(() => socket.resume());
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
    socket.write(this.replay.all());
  }
}
