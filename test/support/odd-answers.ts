import { UnauthorizedException } from '@nestjs/common';
import { of } from 'rxjs';

class Row {
  readonly id = 'ada';
}

/** What applications answer by mistake where an identity was asked for, and what the log calls it. */
export const ODD_ANSWERS: readonly (readonly [answer: unknown, kind: string])[] = [
  [true, 'true'],
  [0, 'a number'],
  [NaN, 'NaN'],
  ['', 'an empty text'],
  ['ada', 'a text'],
  [10n, 'a bigint'],
  [Symbol('ada'), 'a symbol'],
  [() => ({ userId: 'ada' }), 'a function'],
  [[], 'a list'],
  [[{ userId: 'ada' }], 'a list'],
  [Object.assign([], { userId: 'ada' }), 'a list'],
  [new UnauthorizedException('ada'), 'an error'],
  [Object.assign(new Error('ada'), { userId: 'ada' }), 'an error'],
  [of({ userId: 'ada' }), 'an Observable'],
  [new Map([['userId', 'ada']]), 'an object'],
  [{}, 'an object without a userId'],
  [{ id: 'ada' }, 'an object without a userId'],
  [new Row(), 'an object without a userId'],
  [{ userId: undefined }, 'an object without a userId'],
  [{ userId: null }, 'an object whose userId is null'],
  [{ userId: '' }, 'an object whose userId is an empty text'],
  [{ userId: NaN }, 'an object whose userId is NaN'],
  [{ userId: Infinity }, 'an object whose userId is a number'],
  [{ userId: true }, 'an object whose userId is true'],
  [{ userId: { id: 'ada' } }, 'an object whose userId is an object'],
  [{ userId: ['ada'] }, 'an object whose userId is a list'],
  [{ userId: 10n }, 'an object whose userId is a bigint'],
  [{ anonymous: false }, 'an object without a userId'],
  [{ anonymous: 'true' }, 'an object whose anonymous is a text'],
  [{ anonymous: true, userId: 'ada' }, 'an object that is anonymous and has a userId'],
  [{ userId: 'ada', userType: 7 }, 'an object whose userType is a number'],
  [{ userId: 'ada', payload: 'ada' }, 'an object whose payload is a text'],
  [{ userId: 'ada', metadata: [] }, 'an object whose metadata is a list'],
  [{ anonymous: true, metadata: true }, 'an object whose metadata is true'],
  [{ userId: 'ada', token: 'ada' }, 'an object whose token is a text'],
  [{ userId: 'ada', token: { id: 7 } }, 'an object whose token.id is a number'],
  [{ userId: 'ada', token: { issuedAt: '2026-01-01' } }, 'an object whose token.issuedAt is a text'],
  [{ userId: 'ada', token: { issuedAt: NaN } }, 'an object whose token.issuedAt is NaN'],
  [{ userId: 'ada', token: { issuedAt: Infinity } }, 'an object whose token.issuedAt is a number'],
  [{ userId: 'ada', token: { expiresAt: new Date() } }, 'an object whose token.expiresAt is an object'],
  [throwing('userId'), 'an object that cannot be read'],
  [{ userId: 'ada', metadata: throwing('color') }, 'an object that cannot be read'],
];

function throwing(property: string): object {
  const get = (): never => {
    throw new Error('ada');
  };
  return Object.defineProperty({}, property, { get, enumerable: true });
}
