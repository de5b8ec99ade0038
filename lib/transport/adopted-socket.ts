import type { WebSocket } from 'ws';
import type { SharedFrame } from '../clients/client-socket.interface.js';
import type { ConnectionSocket } from './connection-socket.interface.js';

const OPEN = 1;

/** Makes a socket of some other ws server fit for a client. Its frames take ws' own path, one write each. */
export function adoptedSocket(ws: WebSocket): ConnectionSocket {
  const sendText = (text: string): boolean => {
    if (ws.readyState !== OPEN) return false;
    ws.send(text);
    return true;
  };
  const sendFrame = ({ text }: SharedFrame): boolean => sendText(text);
  const flush = (): void => undefined;
  return Object.assign(ws, { client: null, closedWith: null, sendText, sendFrame, flush });
}
