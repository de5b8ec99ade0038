/** What the run and the application behind the proxies say to each other. */

export interface ApplicationSettings {
  readonly port: number;
  readonly trustProxy: number | true;
  readonly redis?: string | undefined;
  readonly maxBufferedBytes: number;
}

/** Floods a client until it is closed. */
export interface ApplicationTask {
  readonly clientId: string;
}

/** How a connection has ended, by what the application was told. */
export interface End {
  readonly clientId: string;
  readonly code: number;
  readonly reason: string;
}

export type ApplicationReport =
  | { readonly kind: 'listening' }
  | ({ readonly kind: 'ended' } & End)
  /** What was sent to a client when more waited for it than its budget. */
  | { readonly kind: 'flooded'; readonly clientId: string; readonly bytes: number };

/** What the application knows of a client. */
export interface Guest {
  readonly clientId: string;
  readonly ip: string;
  readonly origin?: string | undefined;
  readonly host?: string | undefined;
  readonly cookie?: string | undefined;
  /** The length of its token; 0: it has none. */
  readonly token: number;
}

/** With what it closes a client that asks for it. */
export const FAREWELL = { code: 4321, reason: 'until tomorrow' };

/** The `rooms.history` of every worker. */
export const HISTORY = { size: 2_000, ttl: 600_000 };
