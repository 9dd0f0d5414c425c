/** Owns a server's life on a port of this machine: listening on a free one, and closing without waiting for who is connected. */
import type { AddressInfo, Server, Socket } from 'node:net';

export interface Listening {
  /** Address and port. */
  readonly host: string;
  readonly close: () => Promise<void>;
}

export async function listenLocally(server: Server): Promise<Listening> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
