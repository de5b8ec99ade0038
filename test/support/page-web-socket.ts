import type { WebSocketConstructor } from '../../lib/client/connection/socket.interface.js';
import type { ClientSockets } from './client-sockets.js';

/** Sockets as a page has them: nothing cuts them, and nobody hears of what HTTP answers. */
export function asInPages({ WebSocket }: ClientSockets): WebSocketConstructor {
  const hidden = ['terminate', 'on'];
  return new Proxy(WebSocket, {
    construct: (type, [url, protocols]: [string, string[]]) =>
      new Proxy(new type(url, protocols), {
        get(socket, name) {
          if (hidden.includes(String(name))) return undefined;
          const value: unknown = Reflect.get(socket, name, socket);
          return typeof value === 'function' ? (value.bind(socket) as unknown) : value;
        },
        set: (socket, name, value) => Reflect.set(socket, name, value, socket),
      }),
  });
}
