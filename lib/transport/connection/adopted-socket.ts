import type { WebSocket } from 'ws';
import type { WsClient } from '../../clients/ws-client.js';
import { AdoptedOutbox } from '../outbox/adopted-outbox.js';
import type { ConnectionSocket } from './connection-socket.interface.js';
import type { Data, SendCallback, SendOptions } from '../outbox/outbox.socket.js';
import type { OutboxServices } from '../outbox/outbox.services.js';

/** Makes a socket of some other ws server fit for a client: whoever sends by it sends through one outbox. */
export function adoptedSocket(ws: WebSocket, services: OutboxServices): ConnectionSocket {
  const outbox = new AdoptedOutbox(ws, services);
  const socket = Object.assign(ws, {
    client: null as WsClient | null,
    closedWith: outbox.endsWith,
    isEnding: false,
    sentBytes: 0,
    sendText: (text: string) => outbox.sendText(text),
    sendFrame: ({ text }: { text: string }, isVolatile?: boolean) => outbox.sendText(text, isVolatile),
    sendBinary: outbox.sendBinary.bind(outbox),
    flush: () => undefined,
    transform: outbox.transform.bind(outbox),
    encrypt: outbox.encrypt.bind(outbox),
    send(data: Data, options?: SendOptions | SendCallback, callback?: SendCallback): void {
      if (typeof options === 'function') outbox.send(data, {}, options);
      else outbox.send(data, options ?? {}, callback);
    },
    close: outbox.close.bind(outbox),
  });
  return Object.defineProperties(socket, {
    client: { get: () => outbox.client, set: (client: WsClient | null) => (outbox.client = client) },
    closedWith: { get: () => outbox.endsWith },
    isEnding: { get: () => outbox.endsWith !== null },
    sentBytes: { get: () => outbox.sentBytes },
  });
}
