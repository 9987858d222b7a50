/** Our ends of the test host's ports: Unix sockets in a private folder, to which QEMU connects when it starts. */
import { createServer, type Server, type Socket } from 'node:net';
import { socketPath } from './qemu-command.ts';

export interface PortSocket {
  /** Resolves when QEMU has connected. */
  readonly connected: Promise<Socket>;
  readonly close: () => void;
}

/** Listens for the one connection of a port. Resolves when QEMU may be started. */
export async function openPort(folder: string, port: string): Promise<PortSocket> {
  const server: Server = createServer({ allowHalfOpen: true });
  let socket: Socket | undefined;
  const connected = new Promise<Socket>((resolve) => {
    server.once('connection', (made) => {
      socket = made;
      // QEMU's end breaks when it is killed: that end is told by its exit, not here.
      made.on('error', () => {});
      server.close();
      resolve(made);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketPath(folder, port), resolve);
  });
  return {
    connected,
    close: () => {
      server.close();
      socket?.destroy();
    },
  };
}
