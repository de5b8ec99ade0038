import type { ErrorPayload } from '../protocol/messages.js';

/** The refusal of a request. The message is `CODE: sentence`. */
export class WsTestRefusalError extends Error {
  override readonly name = 'WsTestRefusalError';
  /** The error's code, for programs. */
  readonly code: string;
  /** Whether the same request may succeed later. */
  readonly retryable: boolean;
  /** Details for programs: the fields that failed validation, `retryAfter` in ms. */
  readonly details: unknown;

  /** @param payload the `data` of the error frame */
  constructor({ code, error, retryable, details }: ErrorPayload) {
    super(`${code}: ${error}`);
    this.code = code;
    this.retryable = retryable;
    this.details = details;
  }
}
