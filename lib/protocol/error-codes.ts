/** Every error code of the protocol, and whether the same request may succeed when it is sent again. */
export const WS_ERROR_CODES = {
  BAD_MESSAGE: { retryable: false },
  UNKNOWN_ROUTE: { retryable: false },
  UNAUTHENTICATED: { retryable: false },
  FORBIDDEN: { retryable: false },
  VALIDATION_FAILED: { retryable: false },
  NOT_FOUND: { retryable: false },
  CONFLICT: { retryable: false },
  APPLICATION: { retryable: false },
  RATE_LIMITED: { retryable: true },
  ROOM_LIMIT: { retryable: false },
  INVALID_ROOM: { retryable: false },
  TOO_LARGE: { retryable: false },
  TIMEOUT: { retryable: true },
  UNAVAILABLE: { retryable: true },
  INTERNAL: { retryable: false },
} as const satisfies Record<string, { retryable: boolean }>;

/** An error code of the protocol. Applications may use codes of their own too. */
export type WsErrorCode = keyof typeof WS_ERROR_CODES;

/** The retryable codes, as a list of their own to keep the client's bundle small. */
const RETRYABLE: readonly string[] = ['RATE_LIMITED', 'TIMEOUT', 'UNAVAILABLE'] satisfies RetryableCode[];
type RetryableCode = {
  [Code in WsErrorCode]: (typeof WS_ERROR_CODES)[Code]['retryable'] extends true ? Code : never;
}[WsErrorCode];

/** Whether a request that failed with `code` may be sent again; false for an application's own codes. */
export function isRetryable(code: string): boolean {
  return RETRYABLE.includes(code);
}
