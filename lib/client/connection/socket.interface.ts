/** A handler whose event may be a more precise one: sockets of all kinds fit. */
type SocketHandler<Event> = { handle(event: Event): void }['handle'] | null;

/** What the client needs of a WebSocket: browsers' own, Node's own (22 and later) and that of `ws` have it. */
export interface WebSocketLike {
  readonly readyState: number;
  onopen: SocketHandler<object>;
  onmessage: SocketHandler<{ readonly data: unknown }>;
  onerror: SocketHandler<object>;
  onclose: SocketHandler<{ readonly code: number; readonly reason: string }>;
  send(data: string | Uint8Array<ArrayBuffer>): void;
  close(code?: number, reason?: string): void;
  /** Of `ws`: cuts the connection without a closing handshake. */
  terminate?(): void;
  /** Of `ws`: the answer of a server that refused the upgrade, which browsers do not show. */
  on?(event: 'unexpected-response', listener: (request: unknown, response: HttpAnswer) => void): unknown;
}

/** A refusal of the upgrade. */
export interface HttpAnswer {
  readonly statusCode?: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** A class of WebSockets. */
export type WebSocketConstructor = new (url: string, protocols: string[]) => WebSocketLike;
