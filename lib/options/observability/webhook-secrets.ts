/** What a secret of Standard Webhooks begins with. */
const PREFIX = 'whsec_';
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?$/;
/** Bytes of a key. */
const [LEAST, MOST] = [24, 64];

/** The key that is written as `whsec_…`; undefined for anything else. */
export function keyOf(secret: unknown): Buffer | undefined {
  if (typeof secret !== 'string' || !secret.startsWith(PREFIX)) return undefined;
  const text = secret.slice(PREFIX.length);
  const key = Buffer.from(text, 'base64');
  return BASE64.test(text) && key.length >= LEAST && key.length <= MOST ? key : undefined;
}
