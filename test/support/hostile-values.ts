import { HttpException } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { WsError } from '../../lib/errors/ws.error.js';

/** What applications throw without wanting to: values that fail themselves when somebody looks at them. */
export const HOSTILE_VALUES: Readonly<Record<string, () => unknown>> = {
  message: () => trapped(new Error('x'), 'message'),
  stack: () => trapped(new Error('x'), 'stack'),
  name: () => trapped(new Error('x'), 'name'),
  toString: () => trapped(new Error('x'), 'toString'),
  constructor: () => trapped(new Error('x'), 'constructor'),
  'message of another kind': () => Object.assign(new Error('x'), { message: Symbol('x'), stack: { at: 1 } }),
  'message that answers once': () => answersOnce(new Error('x'), 'message'),
  'stack that answers once': () => answersOnce(new Error('x'), 'stack'),
  'revoked error': () => revoked(new Error('x')),
  'revoked function': () => revoked(() => undefined),
  'proxy that fails': () => new Proxy(new Error('x'), new Proxy({}, { get: () => fail })),
  'object without a text': () => Object.create(null) as unknown,
  'then that fails': () => trapped({}, 'then'),
  'then that calls nobody back': () => ({ then: fail }),
  symbol: () => Symbol('x'),
  undefined: () => undefined,
  'WsError whose code fails': () => trapped(new WsError('X', 'x'), 'code'),
  'WsError whose code is a number': () => Reflect.construct(WsError, [1n, 'x']) as unknown,
  'WsError whose details fail': () => new WsError('X', 'x', { details: { toJSON: fail } }),
  'WsException that fails': () => trapped(new WsException('x'), 'getError'),
  'HttpException whose status fails': () => trapped(new HttpException('x', 400), 'getStatus'),
  'HttpException whose response fails': () => trapped(new HttpException('x', 400), 'getResponse'),
  'HttpException of no number': () => new HttpException('x', Symbol('x') as never),
};

function trapped(value: object, property: string): object {
  return Object.defineProperty(value, property, { get: fail });
}

function answersOnce(value: object, property: string): object {
  let isRead = false;
  const get = (): string => {
    if (isRead) fail();
    isRead = true;
    return 'x';
  };
  return Object.defineProperty(value, property, { get });
}

function revoked(value: object): object {
  const { proxy, revoke } = Proxy.revocable(value, {});
  revoke();
  return proxy;
}

function fail(): never {
  throw new Error('Nobody may look at this.');
}
