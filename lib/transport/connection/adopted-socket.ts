import type { WebSocket } from 'ws';
import type { WsClient } from '../../clients/ws-client.js';
import { Outbox } from '../outbox/outbox.js';
import type { OutboxServices } from '../outbox/outbox.services.js';
import { networkSocketOf } from '../outbox/write-progress.js';
import type { SendCallback, SendOptions, WsData } from '../outbox/ws-send.js';
import { WsWriter } from '../outbox/ws-writer.js';

/** Opens the outbox of a socket that some other ws server has accepted: whoever sends by it sends through the outbox. */
export function outboxOfAdopted(ws: WebSocket, services: OutboxServices): Outbox {
  const own = {
    send: ws.send,
    close: ws.close,
    ping: ws.ping,
    pong: ws.pong,
    bufferedAmountOf: () => ws.bufferedAmount,
  };
  const socket = Object.assign(ws, { client: null as WsClient | null });
  const outbox = new Outbox(socket, new WsWriter(ws, networkSocketOf(ws), own), services);
  Object.assign(ws, {
    send: (data: WsData, options?: SendOptions | SendCallback, callback?: SendCallback) =>
      outbox.send(data, options, callback),
    close: (code?: number, reason?: string | Buffer) => outbox.close(code, reason),
    ping: (...args: Parameters<WebSocket['ping']>) => {
      outbox.flush();
      own.ping.apply(ws, args);
    },
    pong: (...args: Parameters<WebSocket['pong']>) => {
      outbox.flush();
      own.pong.apply(ws, args);
    },
  });
  return outbox;
}
