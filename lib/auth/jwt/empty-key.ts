import { createHmac, timingSafeEqual } from 'node:crypto';

const NO_KEY = Buffer.alloc(0);
/** The algorithms of secrets, by the length of their signatures in base64url. */
const HASHES: Readonly<Record<number, string>> = { 43: 'sha256', 64: 'sha384', 86: 'sha512' };

/** A token that anyone can make: without a user, signed with an empty key. */
export function tokenOfEmptyKey(): string {
  const [header, claims] = [{ alg: 'HS256', typ: 'JWT' }, {}].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  );
  const input = `${header}.${claims}`;
  return `${input}.${createHmac('sha256', NO_KEY).update(input).digest('base64url')}`;
}

/**
 * Whether a token is signed with an empty key, so that it proves nothing. jsonwebtoken accepts an empty Buffer as a secret,
 * and a provider of keys that decodes a missing setting returns one.
 */
export function isSignedWithEmptyKey(token: string): boolean {
  const end = token.lastIndexOf('.');
  const signature = token.slice(end + 1);
  const hash = HASHES[signature.length];
  if (end < 0 || hash === undefined) return false;
  const given = Buffer.from(signature, 'base64url');
  const forged = createHmac(hash, NO_KEY).update(token.slice(0, end)).digest();
  return given.length === forged.length && timingSafeEqual(given, forged);
}
