import type { WebSocket } from 'ws';
import type { ClientSession } from '../../clients/session/client-session.js';
import { ENGINE } from '../../runtime/engine.js';
import { BunWriter } from '../outbox/bun-writer.js';
import { Outbox } from '../outbox/outbox.js';
import type { OutboxServices } from '../outbox/outbox.services.js';
import { networkSocketOf } from '../outbox/write-progress.js';
import type { SendCallback, RawSendOptions, WsData } from '../outbox/ws-send.js';
import { WsWriter } from '../outbox/ws-writer.js';

type Control = Parameters<WebSocket['ping']>;

/** Opens the outbox of a socket that some other ws server has accepted: whoever sends by it sends through the outbox. */
export function outboxOfAdopted(ws: WebSocket, services: OutboxServices): Outbox {
  const [send, close, ping, pong] = [ws.send.bind(ws), ws.close.bind(ws), ws.ping.bind(ws), ws.pong.bind(ws)];
  const Writer = ENGINE === 'bun' ? BunWriter : WsWriter;
  const writer = new Writer(ws, networkSocketOf(ws), {
    send: (_ws, data, options, done) => send(data, options, done),
    close: (_ws, code, reason) => close(code, reason),
    bufferedAmountOf: () => ws.bufferedAmount,
  });
  const outbox = new Outbox(Object.assign(ws, { session: null as ClientSession | null }), writer, services);
  const flushed =
    (write: (...control: Control) => void) =>
    (...control: Control): void => {
      outbox.flush();
      write(...control);
    };
  Object.assign(ws, {
    send: (data: WsData, options?: RawSendOptions | SendCallback, callback?: SendCallback) =>
      outbox.send(data, options, callback),
    close: (code?: number, reason?: string | Buffer) => outbox.close(code, reason),
    ping: flushed(ping),
    pong: flushed(pong),
  });
  return outbox;
}
