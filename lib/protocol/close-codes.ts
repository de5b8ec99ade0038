/**
 * The close codes that the server writes, each with its constant reason. 1000–1015 are RFC 6455 (7.4.1), 4001–4004 were
 * fixed by the second seed; PROTOCOL.md says what a client does on each.
 */
export const CLOSE_CODES = {
  NORMAL: { code: 1000, reason: '' },
  GOING_AWAY: { code: 1001, reason: 'server is shutting down' },
  HOOK_FAILED: { code: 1011, reason: 'connection could not be set up' },
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
