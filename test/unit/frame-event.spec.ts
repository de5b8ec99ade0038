import { describe, expect, it } from '@jest/globals';
import { eventCodec } from '../../lib/protocol/event.codec.js';
import { FrameEvent } from '../../lib/protocol/frame-event.js';
import { pxlCodec } from '../../lib/protocol/pxl.codec.js';

const REQUEST = { type: 'chat', action: 'send', id: 7 };
const ERROR = { error: 'No.', code: 'CONFLICT', retryable: false };

describe.each([pxlCodec, eventCodec])('a frame of $name as an event', (codec) => {
  it.each<[string, string | undefined, string, unknown]>([
    ['a push', codec.encodePush({ type: 'chat', action: 'message', data: { n: 1 } }), 'chat:message', { n: 1 }],
    ['a push of an event', codec.encodePush({ event: 'news', data: [1] }), 'news', [1]],
    ['a push without data', codec.encodePush({ event: 'news' }), 'news', undefined],
    ['a reply', codec.encodeReply(REQUEST, 'sent'), 'chat:send', 'sent'],
    ['the end of a stream', codec.encodeDone(REQUEST), 'chat:send', undefined],
    ['a call', codec.encodeCall({ event: 'chat:ask', data: 1 }, 3), 'chat:ask', 1],
    ['a value', codec.encodePush([1, null]), 'message', [1, null]],
    ['null', codec.encodePush(null), 'message', null],
    ['a text', codec.encodePush('text'), 'message', 'text'],
  ])('tells %s, and stays as it is when it is rewritten with the same', (_what, text = '', event, data) => {
    const frame = new FrameEvent(codec, text);
    expect([frame.event, frame.data]).toEqual([event, data]);
    expect(frame.rewrite(event, data)).toBe(text);
  });

  it('tells an error', () => {
    const frame = new FrameEvent(codec, codec.encodeError(ERROR, REQUEST));
    expect(frame.event).toBe(codec === pxlCodec ? 'error:message' : 'error');
    expect(frame.data).toMatchObject({ code: 'CONFLICT' });
  });

  it('keeps the rest of the frame under another event', () => {
    const frame = new FrameEvent(codec, codec.encodeReply(REQUEST, 'sent'));
    expect(frame.rewrite('other', 'data')).toBe(
      codec.encodeReply({ ...REQUEST, type: 'event', action: 'other' }, 'data'),
    );
    const call = new FrameEvent(codec, codec.encodeCall({ event: 'chat:ask', data: 1 }, 3));
    expect(call.rewrite('other', 2)).toBe(codec.encodeCall({ event: 'other', data: 2 }, 3));
    expect(new FrameEvent(codec, '[1]').rewrite('other', 2)).toBe(codec.encodePush({ event: 'other', data: 2 }));
  });

  it('leaves what is no JSON as it is', () => {
    const frame = new FrameEvent(codec, 'no JSON');
    expect([frame.event, frame.data]).toEqual(['message', 'no JSON']);
    expect(frame.rewrite('message', 'no JSON')).toBe('no JSON');
    expect(frame.rewrite('message', 'less')).toBe('less');
  });
});
