import type { WebSocket } from 'ws';
import type { WsClient } from '../clients/ws-client.js';
import { ClearSendError } from './clear-send.error.js';
import type { ConnectionSocket } from './connection-socket.interface.js';
import { OutboundPassage } from './outbound-passage.js';
import type { OutboxServices } from './outbox.services.js';
import { refuseClearSend } from './refuse-clear-send.js';

const OPEN = 1;

type Data = Parameters<WebSocket['send']>[0];

/** Makes a socket of some other ws server fit for a client. Its frames take ws' own path, one write each. */
export function adoptedSocket(ws: WebSocket, { errors }: OutboxServices): ConnectionSocket {
  const passage = new OutboundPassage();
  const send = ws.send.bind(ws);
  const close = ws.close.bind(ws);

  const pass = (text: string, deliver: (passed: string) => void): boolean => {
    if (ws.readyState !== OPEN || socket.isEnding) return false;
    passage.push(text, deliver);
    return true;
  };
  const sendText = (text: string): boolean => pass(text, (passed) => send(passed));

  /** What passes no step waits for those before it; encrypted meanwhile, its client must not get it. */
  const passBy = (data: Data, more: unknown[]): void => {
    const done = more.find((argument) => typeof argument === 'function');
    if (passage.isSealed)
      refuseClearSend(errors, socket.client, done && ((error) => void Reflect.apply(done, ws, [error])));
    else Reflect.apply(send, ws, [data, ...more]);
  };

  const socket = Object.assign(ws, {
    client: null as WsClient | null,
    closedWith: null,
    isEnding: false,
    sendText,
    sendFrame: ({ text }: { text: string }) => sendText(text),
    sendBinary: (text: string) => pass(text, (passed) => send(Buffer.from(passed))),
    flush: () => undefined,
    transform: passage.add.bind(passage),
    encrypt(...[limit, cipher, lastInClear]: Parameters<ConnectionSocket['encrypt']>): void {
      if (lastInClear !== undefined) send(lastInClear);
      passage.seal(limit, cipher);
    },
    /** What the application sends by the socket itself keeps its place, and a text passes what all texts do. */
    send(data: Data, ...more: unknown[]): void {
      if (socket.client?.encrypted) throw new ClearSendError();
      if (typeof data === 'string' && more.length === 0) sendText(data);
      else passage.after(() => passBy(data, more));
    },
    close(code?: number, reason?: string | Buffer): void {
      socket.isEnding = !passage.isEmpty;
      passage.after(() => close(code, reason));
    },
  });
  return socket;
}
