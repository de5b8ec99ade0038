import { createHmac, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';

/** The secret that the test applications verify with. */
export const SECRET = 'a secret that nobody outside of the tests knows';

type Claims = Record<string, unknown>;

/** A JSON Web Token signed by hand, with whatever header and claims a test wants. */
export function craftToken(header: Claims, claims: unknown, sign: (input: string) => Buffer | string): string {
  const input = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const signature = sign(input);
  return `${input}.${typeof signature === 'string' ? signature : signature.toString('base64url')}`;
}

/** Signed with HS256. */
export function hs256(claims: unknown, secret: string | Buffer = SECRET): string {
  return craftToken({ alg: 'HS256', typ: 'JWT' }, claims, (input) =>
    createHmac('sha256', secret).update(input).digest(),
  );
}

/** Signed with RS256. */
export function rs256(claims: unknown, privateKey: KeyObject): string {
  const sign = (input: string): Buffer => createSign('RSA-SHA256').update(input).sign(privateKey);
  return craftToken({ alg: 'RS256', typ: 'JWT' }, claims, sign);
}

/** Signed by nobody: `alg: none`. */
export function unsigned(claims: unknown, alg = 'none'): string {
  return craftToken({ alg, typ: 'JWT' }, claims, () => '');
}

/** Seconds since 1970, as claims tell times: now, or so much later. */
export function seconds(later = 0): number {
  return Math.floor(Date.now() / 1_000) + later;
}

/** The claims of a token that is valid for an hour. */
export function claimsOf(sub: unknown, more: Claims = {}): Claims {
  return { sub, iat: seconds(), exp: seconds(3_600), ...more };
}

/** A pair of RSA keys; the public one also in PEM, as applications configure it. */
export function rsaKeys(): { privateKey: KeyObject; publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  return { privateKey, publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString() };
}
