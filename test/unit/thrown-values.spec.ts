import { describe, expect, it } from '@jest/globals';
import { asError, isError, isInstanceOf } from '../../lib/errors/as-error.js';
import { isUnexpected, toErrorPayload } from '../../lib/errors/exception-mapper.js';
import { WsError } from '../../lib/errors/ws.error.js';
import { HOSTILE_VALUES } from '../support/hostile-values.js';

describe.each(Object.entries(HOSTILE_VALUES))('A thrown value that fails when it is looked at: %s', (_name, make) => {
  it('becomes an error that can be read', () => {
    const error = asError(make());
    expect(isError(error)).toBe(true);
    expect([typeof error.name, typeof error.message, typeof String(error)]).toEqual(['string', 'string', 'string']);
  });

  it('is asked what it is, and fails nobody', () => {
    expect(() => [isError(make()), isInstanceOf(make(), WsError)]).not.toThrow();
  });

  it('becomes an answer, and is a defect where it is none', () => {
    const { error, code, retryable } = toErrorPayload(make());
    expect([typeof error, typeof code, typeof retryable]).toEqual(['string', 'string', 'boolean']);
    expect(typeof isUnexpected(make())).toBe('boolean');
  });
});

it('An error that can be read stays the same', () => {
  const error = new WsError('X', 'x');
  expect(asError(error)).toBe(error);
});
