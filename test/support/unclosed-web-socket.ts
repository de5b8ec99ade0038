import { WebSocket } from 'ws';
import type { WebSocketLike } from '../../lib/client/connection/socket.interface.js';

/** A socket as Node 22's own: one that cannot connect tells of an error and of no close, and stays on its way for ever. */
export class UnclosedWebSocket implements WebSocketLike {
  readyState = 0;
  onopen: WebSocketLike['onopen'] = null;
  onmessage: WebSocketLike['onmessage'] = null;
  onerror: WebSocketLike['onerror'] = null;
  onclose: WebSocketLike['onclose'] = null;
  readonly #inner: WebSocket;

  constructor(url: string, protocols: string[]) {
    const inner = (this.#inner = new WebSocket(url, protocols));
    inner.onopen = (event) => {
      this.readyState = 1;
      this.onopen?.(event);
    };
    inner.onmessage = (event) => this.onmessage?.(event);
    inner.onerror = (event) => this.onerror?.(event);
    inner.onclose = (event) => {
      if (this.readyState === 0) return;
      this.readyState = 3;
      this.onclose?.(event);
    };
  }

  send(data: string | Uint8Array): void {
    this.#inner.send(data);
  }

  close(code?: number, reason?: string): void {
    this.#inner.close(code, reason);
  }
}
