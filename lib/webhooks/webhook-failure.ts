import type { ResolvedWebhooks } from '../options/observability/webhooks.options.js';

/** Each wait is up to so much of itself longer or shorter, so that what failed together does not come back together. */
const JITTER = 0.25;

/** Why an attempt has failed. */
export class WebhookFailure extends Error {
  override readonly name = 'WebhookFailure';

  /**
   * @param retryAfter milliseconds that the receiver asks for; 0: it does not say
   * @param isGone whether the receiver wants no webhooks any more
   */
  constructor(
    message: string,
    readonly retryAfter = 0,
    readonly isGone = false,
  ) {
    super(message);
  }
}

/**
 * Milliseconds until the next attempt.
 *
 * @param attempts how many have failed
 * @param chance from 0 up to 1
 */
export function waitAfter(
  failure: unknown,
  attempts: number,
  { backoff, maxBackoff }: ResolvedWebhooks,
  chance: number,
): number {
  const asked = failure instanceof WebhookFailure ? failure.retryAfter : 0;
  const own = Math.min(maxBackoff, backoff * 2 ** (attempts - 1)) * (1 + JITTER * (2 * chance - 1));
  return Math.round(Math.min(maxBackoff, Math.max(own, asked)));
}

/** What the header `retry-after` says, in ms from now: seconds, or a date. 0 where it says nothing. */
export function readRetryAfter(header: string | null, now: number): number {
  if (header === null) return 0;
  if (/^\d+$/.test(header)) return Number(header) * 1_000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? 0 : Math.max(0, at - now);
}
