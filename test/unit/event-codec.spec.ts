import { describe, expect, it } from '@jest/globals';
import { eventCodec } from '../../lib/protocol/event.codec.js';
import { termsText } from '../../lib/protocol/welcome-terms.js';

const longest = 'x'.repeat(64);

/** A frame that is no message, in Ignis' sentence and in ours. */
const invalid = (problem: unknown, id?: number): object => ({
  problem: 'Invalid message format',
  details: { problem },
  id,
});

describe('reading a frame', () => {
  it.each<[string, object]>([
    ['{"event":"news"}', { type: 'event', action: 'news', data: undefined, id: undefined }],
    ['{"event":"chat:send","data":null,"id":0}', { type: 'chat', action: 'send', data: null, id: 0 }],
    ['{"event":"chat:send:now","id":"a"}', { type: 'chat', action: 'send:now', id: 'a' }],
    ['{"event":"__proto__"}', { type: 'event', action: '__proto__' }],
    [`{"event":"${longest}"}`, { type: 'event', action: longest }],
    [`{"event":"${longest}:${longest}"}`, { type: longest, action: longest }],
    ['{"event":"news","more":1}', { whole: { event: 'news', more: 1 } }],
    ['{"event":"system:ping"}', { type: 'system', action: 'ping' }],
  ])('%s is a message', (text, message) => {
    expect(eventCodec.decode(text)).toMatchObject(message);
  });

  it.each(['authenticate', 'join', 'leave', 'heartbeat', 'disconnect', 'connected', 'error', 'encrypted'])(
    'the event %s is the library’s',
    (event) => {
      expect(eventCodec.decode(JSON.stringify({ event }))).toMatchObject({ type: 'system', action: event });
    },
  );

  it.each(['', 'hello', '{', '\ufeff{}', "{'event':'t'}"])('%j is not JSON', (text) => {
    expect(eventCodec.decode(text)).toEqual(invalid('The message is not JSON.'));
  });

  it.each(['null', '7', '"text"', 'true', '[]', '[{"event":"t"}]'])('%s is no object', (text) => {
    expect(eventCodec.decode(text)).toEqual(invalid('The message is not an object.'));
  });

  it.each(['null', 'true', '1.5', '{}', '[1]', `"${'i'.repeat(65)}"`])('refuses the id %s', (id) => {
    const read = eventCodec.decode(`{"event":"t","id":${id}}`);
    expect(read).toEqual(invalid(expect.stringMatching(/^The id is neither/)));
  });

  it.each(['null', '7', '{}', '["t"]', '{"length":1}', 'true'])('refuses the event %s, which is no string', (event) => {
    const read = eventCodec.decode(`{"event":${event},"id":5}`);
    expect(read).toEqual(invalid('The event is not a string.', 5));
  });

  it.each(['', ':', 'a:', ':b', `${longest}x`, `${longest}x:a`, `a:${longest}x`])('refuses the event %j', (event) => {
    const read = eventCodec.decode(JSON.stringify({ event, id: 5 }));
    expect(read).toEqual(invalid(expect.stringMatching(/^The event is not a name/), 5));
  });

  it('refuses a message without an event, whatever an object inherits', () => {
    expect(eventCodec.decode('{}')).toHaveProperty('problem');
    expect(eventCodec.decode('{"__proto__":{"event":"t"}}')).toHaveProperty('problem');
    expect(eventCodec.decode('{"type":"t","action":"a"}')).toHaveProperty('problem');
  });
});

describe('writing a frame', () => {
  const request = { type: 'chat', action: 'send', id: 1 };

  it.each<[unknown, string | undefined]>([
    [{ event: 'a', data: 1 }, '{"event":"a","data":1}'],
    [{ event: 'a' }, '{"event":"a"}'],
    [{ type: 't', action: 'a', data: { b: 1 } }, '{"event":"t:a","data":{"b":1}}'],
    [{ type: 'event', action: 'a' }, '{"event":"a"}'],
    [{ type: 'event', action: 'a:b' }, '{"event":"event:a:b"}'],
    [
      { type: 'error', action: 'message', data: { error: 'No.', code: 'C' } },
      '{"event":"error","data":{"message":"No.","code":"C"}}',
    ],
    [{ type: 'error', action: 'message', data: 'No.' }, '{"event":"error:message","data":"No."}'],
    [{ type: 'error', action: 'own', data: 1 }, '{"event":"error:own","data":1}'],
    [{ type: 't', data: 1 }, '{"event":"message","data":{"type":"t","data":1}}'],
    [{ event: 7 }, '{"event":"message","data":{"event":7}}'],
    [{ event: 'a', type: 't' }, '{"event":"message","data":{"event":"a","type":"t"}}'],
    [null, '{"event":"message","data":null}'],
    [[1], '{"event":"message","data":[1]}'],
    ['text', '{"event":"message","data":"text"}'],
    [undefined, undefined],
    [() => 1, undefined],
  ])('the push %p is %s', (message, text) => {
    expect(eventCodec.encodePush(message)).toBe(text);
  });

  it.each<[unknown, string]>([
    [{ a: 1 }, '{"event":"chat:send","id":1,"data":{"a":1}}'],
    [undefined, '{"event":"chat:send","id":1,"data":null}'],
    [() => 1, '{"event":"chat:send","id":1,"data":null}'],
    [false, '{"event":"chat:send","id":1,"data":false}'],
  ])('the reply %p is %s', (response, text) => {
    expect(eventCodec.encodeReply(request, response)).toBe(text);
  });

  it('answers under the name that the request had, also where that is the library’s own', () => {
    for (const event of ['news', 'chat:send', 'event:a:b', 'join', 'heartbeat', 'system:ping']) {
      const message = eventCodec.decode(JSON.stringify({ event, id: 1 }));
      expect(JSON.parse(eventCodec.encodeReply(message as typeof request, 1))).toEqual({ event, id: 1, data: 1 });
    }
  });

  it('escapes names and ids, and leaves out the id of a request without one', () => {
    const odd = { type: '"', action: '\n', id: '\u2028"' };
    expect(JSON.parse(eventCodec.encodeReply(odd, 1))).toEqual({ event: '":\n', id: odd.id, data: 1 });
    expect(eventCodec.encodeReply({ ...request, id: undefined }, 1)).toBe('{"event":"chat:send","data":1}');
    expect(eventCodec.encodeReply({ ...request, id: 0 }, 1)).toContain('"id":0');
  });

  it('ends a stream that has an id, and no other', () => {
    expect(eventCodec.encodeDone(request)).toBe('{"event":"chat:send","id":1,"done":true}');
    expect(eventCodec.encodeDone({ ...request, id: undefined })).toBeUndefined();
  });

  it('an error names its request as far as it is known', () => {
    const error = { error: 'No.', code: 'FORBIDDEN', retryable: false };
    const data = { message: 'No.', code: 'FORBIDDEN', retryable: false };
    expect(JSON.parse(eventCodec.encodeError(error, request))).toEqual({
      event: 'error',
      id: 1,
      data: { ...data, event: 'chat:send' },
    });
    expect(JSON.parse(eventCodec.encodeError(error, { type: 'system', action: 'join' }))).toEqual({
      event: 'error',
      data: { ...data, event: 'join' },
    });
    expect(JSON.parse(eventCodec.encodeError(error))).toEqual({ event: 'error', data });
    expect(JSON.parse(eventCodec.encodeError({ ...error, details: ['name'] }))).toHaveProperty('data.details', [
      'name',
    ]);
  });

  it('the welcome is one frame, which tells an identity where there is one', () => {
    const limits = { maxPayload: 65_536, messagesPerSecond: null, burst: null, rooms: 128 };
    const terms = { heartbeat: null, limits, rooms: { ownJoin: true } } as const;
    const frames = (userId?: string): unknown[] =>
      eventCodec
        .encodeWelcome({ clientId: 'c', terms: termsText(terms), userId, time: 7 })
        .map((text) => JSON.parse(text) as unknown);
    expect(frames()).toEqual([{ event: 'connected', data: { id: 'c', time: 7, ...terms } }]);
    expect(frames('ada')).toEqual([{ event: 'connected', data: { id: 'c', userId: 'ada', time: 7, ...terms } }]);
  });

  it.each<[object, object]>([
    [{ event: 'ask' }, { event: 'ask', data: null }],
    [
      { event: 'ask', data: 1 },
      { event: 'ask', data: 1 },
    ],
    [
      { type: 'test', action: 'question', data: 1 },
      { event: 'test:question', data: 1 },
    ],
  ])('the call %p is %p with its callId', (message, call) => {
    expect(JSON.parse(eventCodec.encodeCall(message, 3))).toEqual({ ...call, callId: 3 });
  });
});
