import { isRetryable, type WsErrorCode } from '../protocol/error-codes.js';
import { brand } from '../runtime/brand.js';

/** More about a {@link WsError}. */
export interface WsErrorOptions {
  /** Whether the same request may succeed later. Default: as the protocol says for the code; false for other codes. */
  retryable?: boolean;
  /** More for programs, sent to the client: JSON, no secrets. */
  details?: unknown;
  /** The error that caused it. It stays on the server. */
  cause?: unknown;
}

/**
 * A refusal with a code. Thrown from a handler, guard or pipe it reaches the client as it is: `code` for programs,
 * `message` as the sentence for people.
 *
 * @example throw new WsError('NOT_FOUND', 'There is no such game.');
 */
export class WsError extends Error {
  static {
    brand(this, 'WsError');
  }

  override readonly name = 'WsError';
  readonly retryable: boolean;
  readonly details: unknown;

  /**
   * @param code one of the protocol's codes or the application's own
   * @param message a sentence that the client may read
   */
  constructor(
    readonly code: WsErrorCode | (string & {}),
    message: string,
    options: WsErrorOptions = {},
  ) {
    super(message, { cause: options.cause });
    this.retryable = options.retryable ?? isRetryable(code);
    this.details = options.details;
  }
}
