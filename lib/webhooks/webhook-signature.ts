import { createHmac, timingSafeEqual } from 'node:crypto';

/** The scheme of Standard Webhooks: HMAC-SHA256. */
const SCHEME = 'v1,';

/** What is signed, as Standard Webhooks says. */
export interface SignedWebhook {
  /** The header `webhook-id`: the same at each attempt. */
  readonly id: string;
  /** The header `webhook-timestamp`: when this attempt is made, in seconds since 1970. */
  readonly timestamp: string;
  readonly body: string | Uint8Array;
}

/** The header `webhook-signature`: a signature by each key. */
export function signWebhook(webhook: SignedWebhook, keys: readonly Buffer[]): string {
  return keys.map((key) => SCHEME + mac(webhook, key).toString('base64')).join(' ');
}

/** Whether one of the signatures was made with one of the keys. It takes as long for a wrong one as for the right one. */
export function isSigned(webhook: SignedWebhook, signatures: string, keys: readonly Buffer[]): boolean {
  const given = signatures.split(' ').filter((one) => one.startsWith(SCHEME));
  const macs = given.map((one) => Buffer.from(one.slice(SCHEME.length), 'base64'));
  return keys.some((key) => {
    const right = mac(webhook, key);
    return macs.some((one) => one.length === right.length && timingSafeEqual(one, right));
  });
}

function mac({ id, timestamp, body }: SignedWebhook, key: Buffer): Buffer {
  return createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest();
}
