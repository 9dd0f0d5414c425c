/**
 * Owns the message stream over one socket, and knowing when it is over: not when the socket closes, but when all that came
 * before has been handed on. Deliberately knows no message.
 */
import type { Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  createMessageConnection,
  SocketMessageReader,
  SocketMessageWriter,
  type MessageConnection,
} from 'vscode-jsonrpc/node';

export interface Wire {
  readonly connection: MessageConnection;
  /** Resolves when nothing more will come; requests still unanswered have been rejected by then. */
  readonly over: Promise<void>;
  /** Hangs up. */
  readonly close: () => void;
}

/** Turns of the event loop without a message after which the queue of a closed connection counts as empty. */
const quietTurns = 20;

export function openWire(socket: Socket): Wire {
  let received = 0;
  const connection = createMessageConnection(
    new SocketMessageReader(socket),
    new SocketMessageWriter(socket),
    undefined,
    {
      messageStrategy: {
        handleMessage: (message, next) => {
          received++;
          return next(message);
        },
      },
    },
  );
  connection.onError(() => socket.destroy());
  const over = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    .then(async () => {
      // Messages are handed on one a turn, so the last answers may still be waiting when the socket is gone.
      for (
        let quiet = 0, before = received;
        quiet < quietTurns;
        quiet = before === received ? quiet + 1 : 0
      ) {
        before = received;
        await nextTurn();
      }
    })
    .then(() => connection.dispose());
  connection.listen();
  return { connection, over, close: () => socket.destroy() };
}
