/** The close code of a connection that broke, or was never established (RFC 6455, 7.1.5). */
export const LOST = 1006;

/** The close code of a peer's frame that breaks the protocol (RFC 6455, 7.4.1). */
export const PROTOCOL_ERROR = 1002;

/** How the reason of a connection begins that the server was told to be closed by a proxy, whose own reason follows. */
export const CLOSED_BY_PROXY = 'closed by a proxy';

/**
 * The close codes that the server sends, each with its reason. 1000–1015 come from RFC 6455 (7.4.1), 4001–4004 from Ignis.
 * `reactionTo` says how a client reacts to each.
 */
export const CLOSE_CODES = {
  NORMAL: { code: 1000, reason: '' },
  GOING_AWAY: { code: 1001, reason: 'server is shutting down' },
  HOOK_FAILED: { code: 1011, reason: 'connection could not be set up' },
  UNAVAILABLE: { code: 1013, reason: 'not available now' },
  BAD_FRAME: { code: 1008, reason: 'not the next encrypted frame' },
  /** The reason tells when to reconnect: `{"after":ms}`. */
  RESTART: { code: 1012, reason: '' },
  FORBIDDEN: { code: 3003, reason: 'forbidden' },
  AUTH_TIMEOUT: { code: 4001, reason: 'authentication timeout' },
  AUTH_FAILED: { code: 4003, reason: 'authentication failed' },
  NOT_ENCRYPTED: { code: 4004, reason: 'encryption required' },
  KEY_EXCHANGE_FAILED: { code: 4004, reason: 'key exchange failed' },
  TOKEN_EXPIRED: { code: 4005, reason: 'token expired' },
  RATE_LIMITED: { code: 4009, reason: 'rate limit exceeded' },
  REVOKED: { code: 4506, reason: 'token revoked' },
  REPLACED: { code: 4506, reason: 'replaced by a newer connection' },
  TOO_SLOW: { code: 4008, reason: 'too slow' },
  HEARTBEAT_TIMEOUT: { code: 4002, reason: 'heartbeat timeout' },
  DISCONNECTED: { code: 4506, reason: 'disconnected by the server' },
  INACTIVE: { code: 4510, reason: 'inactive' },
  UNFIT: { code: 4522, reason: 'parameters refused' },
} as const satisfies Record<string, CloseReason>;

/** A close code with its reason: at most 123 bytes of UTF-8 (RFC 6455, 5.5). */
export interface CloseReason {
  readonly code: number;
  readonly reason: string;
}

/** Whether an application may close a connection with this code: 1000 or 3000–4999 (RFC 6455, 7.4.2). */
export function isApplicationCloseCode(code: number): boolean {
  return code === 1000 || (Number.isInteger(code) && code >= 3000 && code <= 4999);
}

/**
 * How a client reacts to the end of its connection. `stop`: not at all; `retry`: it reconnects; `retryLater`: after a longer
 * wait; `retryFewTimes`: a few times in succession at most; `refreshToken`: it reconnects with a fresh token; `replaceToken`: with
 * another token than the refused one, or it stops.
 */
export type ClientReaction = 'stop' | 'retry' | 'retryLater' | 'retryFewTimes' | 'refreshToken' | 'replaceToken';

/** The exceptions to the ranges of `reactionTo`. */
const REACTIONS: Readonly<Partial<Record<number, ClientReaction>>> = {
  1000: 'stop',
  1002: 'stop',
  1003: 'stop',
  1007: 'stop',
  1008: 'stop',
  1009: 'stop',
  1010: 'stop',
  1015: 'stop',
  3000: 'replaceToken',
  3003: 'stop',
  4001: 'retryFewTimes',
  4003: 'replaceToken',
  4004: 'stop',
  4005: 'refreshToken',
  4009: 'retryLater',
};

/** The reaction of a client whose connection was closed with `code`. */
export function reactionTo(code: number): ClientReaction {
  return REACTIONS[code] ?? (code >= 4500 ? 'stop' : 'retry');
}
