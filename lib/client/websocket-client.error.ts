import { isRetryable, type WsErrorCode } from '../protocol/error-codes.js';

/** The optional properties of a {@link WebSocketClientError}. */
export interface WebSocketClientErrorOptions {
  /** Whether the same may succeed later. Default: what the protocol says about the code, else false. */
  retryable?: boolean | undefined;
  /** Details for programs: the fields that failed validation, `retryAfter` in ms. */
  details?: unknown;
  /** The close code of the connection that ended. */
  closeCode?: number | undefined;
  /** The error that led to it. */
  cause?: unknown;
}

/**
 * An error of the client, or a refusal of the server: `code` is for programs, `message` is a sentence for people. `BAD_OPTION`
 * is a mistake in the client's options; all other codes are the protocol's or the application's own.
 */
export class WebSocketClientError extends Error {
  override readonly name = 'WebSocketClientError';
  declare readonly code: WsErrorCode | 'BAD_OPTION' | (string & {});
  declare readonly retryable: boolean;
  declare readonly details: unknown;
  declare readonly closeCode: number | undefined;

  constructor(
    code: WsErrorCode | 'BAD_OPTION' | (string & {}),
    message: string,
    { retryable = isRetryable(code), details, closeCode, cause }: WebSocketClientErrorOptions = {},
  ) {
    super(message, { cause });
    Object.assign(this, { code, retryable, details, closeCode });
  }
}

/** The error for a mistake in how the client is used. */
export function badOption(sentence: string): WebSocketClientError {
  return new WebSocketClientError('BAD_OPTION', sentence);
}
