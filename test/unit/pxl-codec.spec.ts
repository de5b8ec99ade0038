import { describe, expect, it } from '@jest/globals';
import { pxlCodec } from '../../lib/protocol/pxl.codec.js';
import { eventOfRoute, routeOfEvent } from '../../lib/protocol/route-key.js';
import { termsText } from '../../lib/protocol/welcome-terms.js';

describe('reading a frame', () => {
  it.each<[string, object]>([
    ['{"type":"chat","action":"send"}', { type: 'chat', action: 'send', data: undefined, id: undefined }],
    ['{"type":"chat","action":"send","data":null,"id":0}', { type: 'chat', action: 'send', data: null, id: 0 }],
    ['{"type":"chat","action":"a:b","id":""}', { type: 'chat', action: 'a:b', id: '' }],
    ['{"type":"__proto__","action":"constructor","id":"1"}', { type: '__proto__', action: 'constructor', id: '1' }],
    ['{"type":"t","action":"a","id":-9007199254740991}', { id: -9007199254740991 }],
    [`{"type":"${'t'.repeat(64)}","action":"${'a'.repeat(64)}","id":"${'i'.repeat(64)}"}`, { id: 'i'.repeat(64) }],
    ['{"type":"t","action":"a","more":1}', { whole: { type: 't', action: 'a', more: 1 } }],
    ['{"type":"t","action":"a","__proto__":{"type":"x"}}', { type: 't', action: 'a' }],
  ])('%s is a message', (text, message) => {
    expect(pxlCodec.decode(text)).toMatchObject(message);
  });

  it.each(['', 'hello', '{', '{"type":"t","action":"a"}x', '\ufeff{}', 'undefined', "{'type':'t'}"])(
    '%j is not JSON',
    (text) => {
      expect(pxlCodec.decode(text)).toEqual({ problem: 'The message is not JSON.', id: undefined });
    },
  );

  it.each(['null', '7', '"text"', 'true', '[]', '[{"type":"t","action":"a"}]'])('%s is no object', (text) => {
    expect(pxlCodec.decode(text)).toEqual({ problem: 'The message is not an object.', id: undefined });
  });

  it.each(['null', 'true', '1.5', '9007199254740992', '{}', '[1]', `"${'i'.repeat(65)}"`])(
    'refuses the id %s, and answers without it',
    (id) => {
      const read = pxlCodec.decode(`{"type":"t","action":"a","id":${id}}`);
      expect(read).toEqual({ problem: expect.stringMatching(/^The id is neither/), id: undefined });
    },
  );

  it.each(['null', '7', '""', '{}', '["t"]', '"a:b"', `"${'t'.repeat(65)}"`])('refuses the type %s', (type) => {
    const read = pxlCodec.decode(`{"type":${type},"action":"a","id":5}`);
    expect(read).toEqual({ problem: expect.stringMatching(/^The type is not/), id: 5 });
  });

  it.each(['null', '7', '""', '{}', '["a"]', `"${'a'.repeat(65)}"`])('refuses the action %s', (action) => {
    const read = pxlCodec.decode(`{"type":"t","action":${action},"id":5}`);
    expect(read).toEqual({ problem: expect.stringMatching(/^The action is not/), id: 5 });
  });

  it('refuses a message without names, whatever an object inherits', () => {
    expect(pxlCodec.decode('{}')).toHaveProperty('problem');
    expect(pxlCodec.decode('{"__proto__":{"type":"t","action":"a"}}')).toHaveProperty('problem');
  });

  it('reads data nested as deep as a frame can hold', () => {
    const depth = 30_000;
    const text = `{"type":"t","action":"a","data":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    expect(pxlCodec.decode(text)).toMatchObject({ type: 't' });
  });
});

describe('writing a frame', () => {
  const request = { type: 'chat', action: 'send', id: 1 };

  it.each<[unknown, string | undefined]>([
    [{ type: 't', action: 'a', data: { b: 1 } }, '{"type":"t","action":"a","data":{"b":1}}'],
    [{ event: 'a', data: 1 }, '{"type":"event","action":"a","data":1}'],
    [{ event: 't:a:b' }, '{"type":"t","action":"a:b"}'],
    [{ event: 'a', type: 't', action: 'b' }, '{"event":"a","type":"t","action":"b"}'],
    [{ event: 7, data: 1 }, '{"event":7,"data":1}'],
    [null, 'null'],
    [[1], '[1]'],
    [undefined, undefined],
    [() => 1, undefined],
  ])('the push %p is %s', (message, text) => {
    expect(pxlCodec.encodePush(message)).toBe(text);
  });

  it.each<[unknown, string]>([
    [{ a: 1 }, '{"type":"chat","action":"send","id":1,"response":{"a":1}}'],
    [undefined, '{"type":"chat","action":"send","id":1,"response":null}'],
    [() => 1, '{"type":"chat","action":"send","id":1,"response":null}'],
    [false, '{"type":"chat","action":"send","id":1,"response":false}'],
  ])('the reply %p is %s', (response, text) => {
    expect(pxlCodec.encodeReply(request, response)).toBe(text);
  });

  it('escapes names and ids, and leaves out the id of a request without one', () => {
    const odd = { type: '"', action: '\n', id: '\u2028"' };
    expect(JSON.parse(pxlCodec.encodeReply(odd, 1))).toEqual({ ...odd, response: 1 });
    expect(JSON.parse(pxlCodec.encodeDone(odd) ?? '')).toEqual({ ...odd, done: true });
    expect(pxlCodec.encodeReply({ ...request, id: undefined }, 1)).toBe('{"type":"chat","action":"send","response":1}');
    expect(pxlCodec.encodeReply({ ...request, id: 0 }, 1)).toContain('"id":0');
  });

  it('an error names its request as far as it is known', () => {
    const error = { error: 'No.', code: 'FORBIDDEN', retryable: false };
    const data = { ...error, type: 'chat', action: 'send' };
    expect(JSON.parse(pxlCodec.encodeError(error, request))).toEqual({ type: 'error', action: 'message', id: 1, data });
    expect(JSON.parse(pxlCodec.encodeError(error))).toEqual({ type: 'error', action: 'message', data: error });
    expect(JSON.parse(pxlCodec.encodeError({ ...error, details: ['name'] }, {}))).toHaveProperty('data.details', [
      'name',
    ]);
  });

  it('the welcome is one frame, and a second one tells an identity', () => {
    const limits = { maxPayload: 65_536, messagesPerSecond: 10, burst: 20, rooms: null };
    const terms = { heartbeat: { interval: 15_000, timeout: 10_000 }, limits };
    const frames = (userId?: string): unknown[] =>
      pxlCodec
        .encodeWelcome({ clientId: 'c', terms: termsText(terms), userId, time: 1 })
        .map((text) => JSON.parse(text) as unknown);
    const connected = { clientId: 'c', protocol: 'pxl.v1', ...terms };
    expect(frames()).toEqual([{ type: 'system', action: 'connected', data: connected }]);
    expect(frames('7')).toEqual([
      { type: 'system', action: 'connected', data: { ...connected, userId: '7' } },
      { type: 'auth', action: 'authenticated', data: { userId: '7', message: 'Authenticated.' } },
    ]);
  });
});

describe('event names', () => {
  it.each([
    ['message', 'event', 'message'],
    ['chat:send', 'chat', 'send'],
    ['chat:send:now', 'chat', 'send:now'],
    [':', '', ''],
  ])('%j is the pair (%j, %j), and back', (event, type, action) => {
    expect(routeOfEvent(event)).toEqual({ type, action });
    expect(eventOfRoute(type, action)).toBe(event);
  });

  it('never makes two pairs one event', () => {
    expect(eventOfRoute('event', 'a:b')).toBe('event:a:b');
    expect(routeOfEvent('event:a:b')).toEqual({ type: 'event', action: 'a:b' });
  });
});
