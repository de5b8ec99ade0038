import { brand } from '../runtime/brand.js';

/**
 * Why a request is no webhook of ours: a header is missing or no such header (`BAD_HEADERS`), it was sent too long ago, or by a
 * clock that is ahead (`BAD_TIME`), nobody with one of the secrets has signed it (`BAD_SIGNATURE`), or its body is not JSON
 * (`BAD_BODY`).
 */
export type WsWebhookVerificationCode = 'BAD_HEADERS' | 'BAD_TIME' | 'BAD_SIGNATURE' | 'BAD_BODY';

/** A request is no webhook that `verifyWebhook` accepts. Nothing of the request stands in its message. */
export class WsWebhookVerificationError extends Error {
  static {
    brand(this, 'WsWebhookVerificationError');
  }

  override readonly name = 'WsWebhookVerificationError';

  constructor(
    readonly code: WsWebhookVerificationCode,
    message: string,
  ) {
    super(message);
  }
}
