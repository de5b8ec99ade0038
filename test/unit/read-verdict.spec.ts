import { describe, expect, it } from '@jest/globals';
import type { WsAuthenticate } from 'nestjs-pxl-websocket';
import { readVerdict } from '../../lib/auth/read-verdict.js';
import { thrownRefusal } from '../../lib/auth/thrown-refusal.js';
import { kindOf } from '../../lib/errors/kind-of.js';
import { HOSTILE_VALUES } from '../support/hostile-values.js';
import { ODD_ANSWERS } from '../support/odd-answers.js';
import { THROWN_REFUSALS } from '../support/thrown-refusals.js';

describe('What an authenticator answers', () => {
  it('passes on to the next one with null and undefined, and refuses with false', () => {
    for (const answer of [null, undefined]) expect(readVerdict(answer)).toEqual({ kind: 'pass' });
    expect(readVerdict(false)).toEqual({ kind: 'refusal', reason: 'refused' });
  });

  it('is a user by its id, whatever class the object is of and whatever is null beside it', () => {
    class Session {
      constructor(private readonly id: number) {}

      get userId(): number {
        return this.id;
      }
    }
    const seven = { kind: 'identity', identity: { user: { userId: '7', payload: {} } } };
    expect(readVerdict(new Session(7))).toEqual(seven);
    const nulls = { userType: null, payload: null, metadata: null, token: null, anonymous: null };
    expect(readVerdict({ userId: 7, ...nulls })).toEqual(seven);
    expect(readVerdict(Object.assign(Object.create(null) as object, { userId: '7', anonymous: false }))).toEqual(seven);
  });

  it('is nobody by anonymous: true alone, with metadata and a token if it likes', () => {
    const [metadata, token] = [{ seat: 7 }, { id: 'a', issuedAt: 1, expiresAt: 2 }];
    expect(readVerdict({ anonymous: true, metadata, token })).toEqual({
      kind: 'identity',
      identity: { user: null, metadata, token },
    });
    expect(readVerdict({ anonymous: true, userId: null })).toMatchObject({ identity: { user: null } });
  });

  it.each(ODD_ANSWERS.map(([answer, kind]) => [kind, answer]))(
    'lets nobody in by %s, and is called so',
    (kind, answer) => {
      expect(readVerdict(answer)).toEqual({ kind: 'refusal', reason: 'no_user', fault: kind });
    },
  );

  it('is read once: what its fields say later counts for nothing', () => {
    let reads = 0;
    const turncoat = {
      get userId() {
        return reads++ === 0 ? 'ada' : 'eve';
      },
    };
    expect(readVerdict(turncoat)).toMatchObject({ identity: { user: { userId: 'ada' } } });
    expect(reads).toBe(1);
  });

  it('does not compile where it names no user', () => {
    const right: WsAuthenticate[] = [
      () => ({ userId: 'ada' }),
      async () => ({ anonymous: true }),
      () => null,
      () => undefined,
      () => false,
    ];
    const wrong: WsAuthenticate[] = [
      // @ts-expect-error -- no identity
      () => true,
      // @ts-expect-error -- no identity
      () => 'ada',
      // @ts-expect-error -- it names nobody
      () => ({}),
      // @ts-expect-error -- the id has another name
      async () => ({ id: 'ada' }),
      // @ts-expect-error -- there may be no id
      ({ token }) => ({ userId: token }),
      // @ts-expect-error -- not by its absence
      () => ({ userId: null }),
    ];
    expect([right.length, wrong.length]).toEqual([5, 6]);
  });

  it('may be a proxy that was revoked', () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    expect(readVerdict(proxy)).toMatchObject({ reason: 'no_user' });
    expect(kindOf(proxy)).toBe('an object that cannot be read');
  });
});

describe('What an authenticator throws', () => {
  it.each(THROWN_REFUSALS)('is a refusal or a failure: %s', (_what, thrown, expected) => {
    const [outcome, reason] = expected ?? [];
    expect(thrownRefusal(thrown)).toEqual(expected && { outcome, reason });
  });

  it.each(Object.entries(HOSTILE_VALUES))('is a failure where it fails when it is looked at: %s', (_name, make) => {
    expect(thrownRefusal(make())).toBeNull();
  });
});
