import type { KeyObject } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { JwtService } from '@nestjs/jwt';
import { KeyedVerifier, type KeyService } from '../../lib/auth/jwt/keyed-verifier.js';
import { claimsOf, hs256, rs256, rsaKeys, seconds, SECRET } from '../support/tokens.js';

/** A verifier, and how often one of its services has verified a token. */
function verifierBy(keyFor: () => unknown, maxAge?: number): { verifier: KeyedVerifier; verified: () => number } {
  let count = 0;
  const serviceOf = (secret: KeyObject | undefined): KeyService => {
    const service = new JwtService({ secret, verifyOptions: { maxAge } });
    return {
      verify: (token, options) => {
        count++;
        return service.verify(token, options);
      },
    };
  };
  return { verifier: new KeyedVerifier({ keyFor, serviceOf, maxAge, remembers: true }), verified: () => count };
}

describe('KeyedVerifier', () => {
  it('verifies a token once, and gives its claims anew each time', async () => {
    const { verifier, verified } = verifierBy(() => SECRET);
    const claims = claimsOf('ada', { name: 'Ada Łovelace', roles: ['admin'] });
    const token = hs256(claims);
    const first = await verifier.verify(token, seconds());
    Object.assign(first as object, { roles: [] });
    expect(await verifier.verify(token, seconds())).toEqual(claims);
    expect(verified()).toBe(1);
  });

  it('does so for each key of its own, in whatever form the key is given', async () => {
    const { privateKey, publicKey } = rsaKeys();
    const key: { now: unknown } = { now: publicKey };
    const { verifier, verified } = verifierBy(() => key.now);
    const token = rs256(claimsOf('ada'), privateKey);
    for (const form of [publicKey, Buffer.from(publicKey), Promise.resolve(publicKey)]) {
      key.now = form;
      expect(await verifier.verify(token, seconds())).toMatchObject({ sub: 'ada' });
    }
    expect(verified()).toBe(1);
    key.now = rsaKeys().publicKey;
    await expect(verifier.verify(token, seconds())).rejects.toThrow('invalid signature');
  });

  it.each([
    ['before it begins', { nbf: seconds(-10) }, -20],
    ['after its end', { exp: seconds(60) }, 60],
    ['when it is too old', {}, 120],
  ])('lets the service say why a token is refused %s', async (_when, more, later) => {
    const { verifier } = verifierBy(() => SECRET, 120);
    const token = hs256(claimsOf('ada', more));
    await verifier.verify(token, seconds());
    await expect(verifier.verify(token, seconds(later))).rejects.toThrow(/jwt expired|jwt not active|maxAge exceeded/);
  });

  it('takes an empty key for none', async () => {
    for (const key of [undefined, null, '', Buffer.alloc(0)]) {
      const { verifier } = verifierBy(() => key);
      await expect(verifier.verify(hs256(claimsOf('eve'), ''), seconds())).rejects.toThrow('must be provided');
    }
  });
});
