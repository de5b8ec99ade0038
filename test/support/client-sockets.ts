import { WebSocket } from 'ws';
import { ClientRuntime, type ClientTimer } from '../../lib/client/options/client-runtime.js';
import type { WebSocketConstructor } from '../../lib/client/connection/socket.interface.js';

/** Everything that clients open: nothing of it may be left when they are done. */
export class ClientSockets {
  readonly all: WebSocket[] = [];
  /** The class to give to clients. */
  readonly WebSocket: WebSocketConstructor;

  constructor() {
    const { all } = this;
    this.WebSocket = class extends WebSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        all.push(this);
      }
    };
  }

  /** Those that are not closed. */
  get open(): WebSocket[] {
    return this.all.filter(({ readyState }) => readyState !== WebSocket.CLOSED);
  }

  /** Handlers that clients have left on their sockets. */
  get handlers(): number {
    return this.all.reduce((sum, socket) => sum + handlersOf(socket), 0);
  }
}

/** Real time, which tells how many timers are set. */
export class CountingClientRuntime extends ClientRuntime {
  readonly #timers = new Set<ClientTimer>();

  get size(): number {
    return this.#timers.size;
  }

  override timeout(ms: number, callback: () => void): ClientTimer {
    const inner = super.timeout(ms, () => {
      this.#timers.delete(timer);
      callback();
    });
    const timer = {
      cancel: () => {
        this.#timers.delete(timer);
        inner.cancel();
      },
    };
    this.#timers.add(timer);
    return timer;
  }
}

function handlersOf({ onopen, onmessage, onerror, onclose }: WebSocket): number {
  return [onopen, onmessage, onerror, onclose].filter((handler) => handler !== null).length;
}
