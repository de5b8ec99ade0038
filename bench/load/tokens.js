import { createHmac, createPrivateKey, sign } from 'node:crypto';

const LIFETIME_SECONDS = 3_600;
const encoded = (part) => Buffer.from(JSON.stringify(part)).toString('base64url');

/** Signs JSON Web Tokens, each of a user of its own. */
export class Tokens {
  #sign;
  #header;
  #count = 0;

  /** @param signer `algorithm`: HS256 or ES256; `key`: the secret, or the private key in PEM */
  constructor({ algorithm, key }) {
    this.#header = encoded({ alg: algorithm, typ: 'JWT' });
    this.#sign = algorithm === 'HS256' ? hs256(key) : es256(key);
  }

  take(count) {
    return Array.from({ length: count }, () => this.#one());
  }

  #one() {
    const number = ++this.#count;
    const iat = Math.floor(Date.now() / 1_000);
    const claims = { sub: `user-${number}`, name: 'Somebody', roles: ['member'], iat, exp: iat + LIFETIME_SECONDS };
    const input = `${this.#header}.${encoded({ ...claims, jti: `${process.pid}-${number}` })}`;
    return `${input}.${this.#sign(input).toString('base64url')}`;
  }
}

function hs256(secret) {
  return (input) => createHmac('sha256', secret).update(input).digest();
}

function es256(pem) {
  const key = createPrivateKey(pem);
  return (input) => sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
}
