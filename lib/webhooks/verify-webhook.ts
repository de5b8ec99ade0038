import { PxlWebSocketOptionsError } from '../errors/start-up.errors.js';
import { keyOf } from '../options/observability/webhook-secrets.js';
import type { WsWebhook } from '../protocol/webhook-events.js';
import { isSigned, type SignedWebhook } from './webhook-signature.js';
import { WsWebhookVerificationError } from './webhook-verification.error.js';

/** Milliseconds that a request may be old, or ahead. */
const TOLERANCE = 300_000;

/** The headers of a request: those of Node's `http`, of Express and Fastify, or a `Headers` of `fetch`. */
export type WsWebhookHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * For receivers: checks who has sent a webhook, and when, and reads it.
 *
 * @param body as it came, byte for byte: in Nest `request.rawBody`, with `NestFactory.create(..., { rawBody: true })`
 * @param secret what the sender has as `webhooks.endpoints[].secret`; of several any one suffices
 * @param tolerance milliseconds that the attempt may be old, or ahead of this clock
 * @throws WsWebhookVerificationError for anything that is no webhook from a holder of the secret; answer 401 then
 * @throws PxlWebSocketOptionsError for a secret that is none
 * @example const { type, data } = verifyWebhook(request.headers, request.rawBody, process.env.WEBHOOK_SECRET);
 */
export function verifyWebhook(
  headers: WsWebhookHeaders,
  body: string | Uint8Array,
  secret: string | readonly string[],
  tolerance = TOLERANCE,
): WsWebhook {
  const keys = keysOf(secret);
  const webhook = { ...stampOf(headers), body };
  if (Math.abs(Date.now() - Number(webhook.timestamp) * 1_000) > tolerance) {
    throw new WsWebhookVerificationError('BAD_TIME', `The webhook is over ${tolerance} ms old, or from the future.`);
  }
  if (!isSigned(webhook, headerOf(headers, 'webhook-signature'), keys)) {
    throw new WsWebhookVerificationError('BAD_SIGNATURE', 'The webhook is not signed with the secret.');
  }
  try {
    return JSON.parse(typeof body === 'string' ? body : Buffer.from(body).toString()) as WsWebhook;
  } catch {
    throw new WsWebhookVerificationError('BAD_BODY', 'The body of the webhook is not JSON.');
  }
}

function keysOf(secret: string | readonly string[]): Buffer[] {
  const secrets = typeof secret === 'string' ? [secret] : secret;
  const keys = secrets.flatMap((one) => keyOf(one) ?? []);
  if (keys.length === secrets.length && keys.length > 0) return keys;
  throw new PxlWebSocketOptionsError("A secret of verifyWebhook is 'whsec_' and 24 to 64 bytes in base64.");
}

function stampOf(headers: WsWebhookHeaders): Omit<SignedWebhook, 'body'> {
  const [id, timestamp] = [headerOf(headers, 'webhook-id'), headerOf(headers, 'webhook-timestamp')];
  if (/^\d{1,12}$/.test(timestamp)) return { id, timestamp };
  throw new WsWebhookVerificationError('BAD_HEADERS', 'The header webhook-timestamp is no number of seconds.');
}

function headerOf(headers: WsWebhookHeaders, name: string): string {
  const value = isHeaders(headers) ? headers.get(name) : headers[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new WsWebhookVerificationError('BAD_HEADERS', `The request has no header ${name}.`);
}

/** Not by `instanceof`, since a framework may bring its own. */
function isHeaders(headers: WsWebhookHeaders): headers is Headers {
  return typeof headers.get === 'function';
}
