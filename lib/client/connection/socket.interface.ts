/** A handler whose event may have a more specific type, so that all kinds of sockets fit. */
type SocketHandler<Event> = { handle(event: Event): void }['handle'] | null;

/** The part of a WebSocket that the client uses. Those of browsers, of Node 22 and later, and of `ws` have it. */
export interface WebSocketLike {
  readonly readyState: number;
  onopen: SocketHandler<object>;
  onmessage: SocketHandler<{ readonly data: unknown }>;
  onerror: SocketHandler<object>;
  onclose: SocketHandler<{ readonly code: number; readonly reason: string }>;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  /** Only in `ws`: cuts the connection without a closing handshake. */
  terminate?(): void;
  /** Only in `ws`: the HTTP response of a server that refused the upgrade. */
  on?(event: 'unexpected-response', listener: (request: unknown, response: HttpAnswer) => void): unknown;
}

/** The HTTP response that refuses an upgrade. */
export interface HttpAnswer {
  readonly statusCode?: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** A WebSocket class. */
export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;
