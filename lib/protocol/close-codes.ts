/**
 * The close codes that the server writes, each with its constant reason. 1000–1015 are RFC 6455 (7.4.1), 4001–4004 were
 * fixed by the second seed; PROTOCOL.md says what a client does on each.
 */
export const CLOSE_CODES = {
  NORMAL: { code: 1000, reason: '' },
  GOING_AWAY: { code: 1001, reason: 'server is shutting down' },
  HOOK_FAILED: { code: 1011, reason: 'connection could not be set up' },
  FORBIDDEN: { code: 3003, reason: 'forbidden' },
  AUTH_TIMEOUT: { code: 4001, reason: 'authentication timeout' },
  AUTH_FAILED: { code: 4003, reason: 'authentication failed' },
  TOKEN_EXPIRED: { code: 4005, reason: 'token expired' },
  RATE_LIMITED: { code: 4009, reason: 'rate limit exceeded' },
  REVOKED: { code: 4506, reason: 'token revoked' },
  REPLACED: { code: 4506, reason: 'replaced by a newer connection' },
  TOO_SLOW: { code: 4008, reason: 'too slow' },
  HEARTBEAT_TIMEOUT: { code: 4002, reason: 'heartbeat timeout' },
  DISCONNECTED: { code: 4506, reason: 'disconnected by the server' },
  INACTIVE: { code: 4510, reason: 'inactive' },
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
