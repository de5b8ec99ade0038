import { describe, expect, it } from '@jest/globals';
import { HttpException } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { isUnexpected, toErrorPayload } from '../../lib/errors/exception-mapper.js';
import { WsError } from '../../lib/errors/ws.error.js';
import { WS_ERROR_CODES } from '../../lib/protocol/error-codes.js';

describe('the status of an HttpException', () => {
  it.each([
    [400, 'VALIDATION_FAILED'],
    [401, 'UNAUTHENTICATED'],
    [402, 'APPLICATION'],
    [403, 'FORBIDDEN'],
    [404, 'NOT_FOUND'],
    [408, 'TIMEOUT'],
    [409, 'CONFLICT'],
    [418, 'APPLICATION'],
    [422, 'VALIDATION_FAILED'],
    [429, 'RATE_LIMITED'],
    [500, 'INTERNAL'],
    [502, 'INTERNAL'],
    [503, 'UNAVAILABLE'],
    [504, 'TIMEOUT'],
    [599, 'INTERNAL'],
  ])('%i is %s', (status, code) => {
    const payload = toErrorPayload(new HttpException('the text', status));
    expect(payload.code).toBe(code);
    expect(payload.error).toBe(code === 'INTERNAL' ? 'Internal error.' : 'the text');
    expect(payload.retryable).toBe(WS_ERROR_CODES[code as keyof typeof WS_ERROR_CODES].retryable);
    expect(isUnexpected(new HttpException('the text', status))).toBe(code === 'INTERNAL');
  });
});

describe('a WsException', () => {
  it('keeps its text and its code, and is retryable as the protocol says of the code', () => {
    expect(toErrorPayload(new WsException('text'))).toEqual({ error: 'text', code: 'APPLICATION', retryable: false });
    expect(toErrorPayload(new WsException({ code: 'UNAVAILABLE', message: 'text' }))).toMatchObject({
      error: 'text',
      code: 'UNAVAILABLE',
      retryable: true,
    });
    expect(toErrorPayload(new WsException({ code: 5, message: 'text' })).code).toBe('APPLICATION');
  });
});

describe('a WsError', () => {
  it('knows what its code says, and may say otherwise', () => {
    expect(new WsError('TIMEOUT', 'x').retryable).toBe(true);
    expect(new WsError('TIMEOUT', 'x', { retryable: false }).retryable).toBe(false);
    expect(new WsError('MINE', 'x').retryable).toBe(false);
    expect(new WsError('constructor', 'x').retryable).toBe(false);
    expect(new WsError('MINE', 'x', { cause: 'why' }).cause).toBe('why');
  });
});

describe('anything else', () => {
  it.each([[new Error('secret')], [undefined], [null], ['secret'], [{ message: 'secret', code: 'FORBIDDEN' }]])(
    '%p is INTERNAL, and unexpected',
    (exception) => {
      expect(toErrorPayload(exception)).toEqual({ error: 'Internal error.', code: 'INTERNAL', retryable: false });
      expect(isUnexpected(exception)).toBe(true);
    },
  );
});
