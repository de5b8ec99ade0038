import { describe, expect, it } from '@jest/globals';
import { readWsEnvelope, writeWsEnvelope } from '../../lib/cluster/bus/envelope-text.js';
import {
  numberedText,
  readKept,
  unnumberedText,
  writeBeginning,
  writeEntry,
} from '../../lib/cluster/bus/numbered-text.js';
import { pointOf, writeTrace } from '../../lib/tracing/trace-context.js';
import type { WsEnvelope, WsTarget } from '../../lib/cluster/bus/envelope.js';

const postmark = { origin: 'AAAAAAAA', sentAt: 1_700_000_000_000, id: undefined };

function envelope(target: WsTarget, rest: Partial<WsEnvelope> = {}): WsEnvelope {
  return { target, exclude: [], isVolatile: false, content: { kind: 'message', text: '{"a":1}' }, ...rest };
}

const TARGETS: WsTarget[] = [
  { kind: 'everybody' },
  { kind: 'clients', clientIds: ['a.b', 'c'] },
  { kind: 'users', userIds: ['7'] },
  { kind: 'rooms', roomNames: ['*', 'a\r\nb', '\ud800', 'ws:{x}'] },
  { kind: 'workers', workerIds: ['AAAAAAAA'] },
  { kind: 'subscribers', channel: 'news' },
];

describe('The text of an envelope', () => {
  it.each(TARGETS.map((target) => [target.kind, target] as const))('keeps its target: %s', (_kind, target) => {
    const sent = envelope(target, { exclude: ['x'], isVolatile: true });
    const letter = readWsEnvelope(writeWsEnvelope(sent, { ...postmark, id: '3' }));
    expect(letter).toEqual({ ...postmark, id: '3', envelope: { ...sent, origin: postmark.origin } });
  });

  it.each(['message', 'event', 'command', 'call', 'answer'] as const)('keeps what it holds, untouched: %s', (kind) => {
    const text = '{"data":"line\\nfeed","n":1.50}';
    const sent = envelope({ kind: 'everybody' }, { content: { kind, text } });
    expect(readWsEnvelope(writeWsEnvelope(sent, postmark))?.envelope.content).toEqual({ kind, text });
  });

  it('keeps whose members are left out', () => {
    const sent = envelope({ kind: 'everybody' }, { excludeUsers: ['7'], excludeRooms: ['b', 'c'] });
    const text = writeWsEnvelope(sent, postmark);
    expect(text).toContain('"notUsers":["7"],"notIn":["b","c"]');
    expect(JSON.parse(text.slice(0, text.indexOf('\n')))).toMatchObject({ v: 1 });
    expect(readWsEnvelope(text)).toStrictEqual({ ...postmark, envelope: { ...sent, origin: postmark.origin } });
    const plain = envelope({ kind: 'everybody' });
    const read = readWsEnvelope(writeWsEnvelope(plain, postmark));
    expect(read?.envelope).toStrictEqual({ ...plain, origin: postmark.origin });
  });

  it('keeps which members get it, in a version that workers without filters ignore', () => {
    for (const where of [['near', { x: 1, y: [null] }], ['all'], ['one', null]] as const) {
      const sent = envelope({ kind: 'rooms', roomNames: ['a'] }, { where, excludeRooms: ['b'] });
      const text = writeWsEnvelope(sent, postmark);
      expect(text).toMatch(/^{"v":2,/);
      expect(readWsEnvelope(text)).toStrictEqual({ ...postmark, envelope: { ...sent, origin: postmark.origin } });
    }
  });

  it('keeps the span that has sent it, in the fields of W3C, and is read without one that is malformed', () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const plain = envelope({ kind: 'rooms', roomNames: ['a'] });
    for (const trace of [{ traceparent }, { traceparent, tracestate: 'vendor=1' }]) {
      const text = writeWsEnvelope({ ...plain, trace }, postmark);
      expect(JSON.parse(text.slice(0, text.indexOf('\n')))).toMatchObject({ v: 1, ...trace });
      expect(readWsEnvelope(text)?.envelope).toEqual({ ...plain, origin: postmark.origin, trace });
    }
    const odd = [1, '', 'x'.repeat(56), `${traceparent}-more`].map((value) => ({ traceparent: value as string }));
    for (const trace of odd) {
      const read = readWsEnvelope(writeWsEnvelope({ ...plain, trace }, postmark));
      expect(read?.envelope).toStrictEqual({ ...plain, origin: postmark.origin });
    }
    const endless = { traceparent, tracestate: 'x'.repeat(513) };
    expect(readWsEnvelope(writeWsEnvelope({ ...plain, trace: endless }, postmark))?.envelope.trace).toEqual({
      traceparent,
    });
    expect(writeWsEnvelope(plain, postmark)).not.toContain('trace');
  });

  it('keeps a content with line feeds of its own', () => {
    const content = { kind: 'message', text: '{\n}\n' } as const;
    expect(
      readWsEnvelope(writeWsEnvelope(envelope({ kind: 'everybody' }, { content }), postmark))?.envelope.content,
    ).toEqual(content);
  });

  const header = { v: 1, from: 'w', at: 1, to: ['everybody'], is: 'message' };
  it.each([
    ['nothing', ''],
    ['no header', '{"type":"chat"}'],
    ['a header that is no JSON', '{"v":1\n{}'],
    ['a header that is no object', '[]\n{}'],
    ['null', 'null\n{}'],
    ...Object.entries({
      'another version': { v: 2 },
      'a sender that is no text': { from: 1 },
      'no time': { at: null },
      'a target that is no list': { to: 'everybody' },
      'a target of unknown kind': { to: ['somebody'] },
      'names that are no texts': { to: ['rooms', 1] },
      'an event without a channel': { to: ['subscribers'] },
      'exclusions that are no list': { not: 'x' },
      'a content of unknown kind': { is: 'picture' },
      'a copy id that is no text': { id: 1 },
      'rooms left out that are no list': { notIn: 'x' },
      'users left out that are no texts': { notUsers: [7] },
      'a filter in the version without them': { to: ['rooms', 'a'], where: ['near'] },
      'a filter that is no list': { v: 2, to: ['rooms', 'a'], where: 'near' },
      'a filter without a name': { v: 2, to: ['rooms', 'a'], where: [] },
      'a filter with too much': { v: 2, to: ['rooms', 'a'], where: ['near', 1, 2] },
      'a filter for everybody': { v: 2, where: ['near'] },
      'a filter for an event': { v: 2, to: ['rooms', 'a'], where: ['near'], is: 'event' },
      'a filter and a number': { v: 2, to: ['rooms', 'a'], where: ['near'], n: ['e', 1] },
      'a number that is no list': { n: { epoch: 'e', offset: 1 }, to: ['rooms', 'a'] },
      'a number without an epoch': { n: [1], to: ['rooms', 'a'] },
      'a number below one': { n: ['e', 0], to: ['rooms', 'a'] },
      'a number that is not whole': { n: ['e', 1.5], to: ['rooms', 'a'] },
      'a number for several rooms': { n: ['e', 1], to: ['rooms', 'a', 'b'] },
      'a number for everybody': { n: ['e', 1] },
      'a number of no message': { n: ['e', 1], to: ['rooms', 'a'], is: 'event' },
      'an epoch that is too long': { n: ['e'.repeat(65), 1], to: ['rooms', 'a'] },
      'a copy that is no text': { n: ['e', 1], to: ['rooms', 'a'], copy: 1 },
    }).map(([what, change]) => [what, `${JSON.stringify({ ...header, ...change })}\n{}`]),
  ])('is none with %s', (_what, text) => {
    expect(readWsEnvelope(text)).toBeNull();
  });

  it('is one with that header', () => {
    expect(readWsEnvelope(`${JSON.stringify(header)}\n{}`)).not.toBeNull();
  });
});

describe('A trace', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

  it('is read as it was written', () => {
    const point = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
    expect(writeTrace(point, '')).toEqual({ traceparent });
    expect(pointOf({ traceparent })).toEqual(point);
  });

  it.each([
    ['of another version', traceparent.replace('00-', '01-')],
    ['without a trace', traceparent.replace(/-[^-]{32}-/, `-${'0'.repeat(32)}-`)],
    ['without a span', traceparent.replace(/-[^-]{16}-/, `-${'0'.repeat(16)}-`)],
    ['in capitals', traceparent.toUpperCase()],
  ])('is none %s', (_what, text) => {
    expect(text).toHaveLength(traceparent.length);
    expect(pointOf({ traceparent: text })).toBeUndefined();
  });
});

describe('The text of a message with a number', () => {
  const roomName = 'a "room"\n';
  const message = { text: '{"data":"line\\nfeed"}\n', exclude: ['x'], copy: 'copy1' };
  const parts = [writeBeginning(roomName, postmark), writeEntry(message)] as const;
  const number = { epoch: '1700000000000-abcdefgh', offset: 7 };
  const envelope = {
    origin: postmark.origin,
    target: { kind: 'rooms', roomNames: [roomName] },
    exclude: ['x'],
    isVolatile: false,
    content: { kind: 'message', text: message.text },
  };

  it('has the trace of its batch in the part that is not kept', () => {
    const trace = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' };
    const beginning = writeBeginning(roomName, postmark, trace);
    expect(readWsEnvelope(numberedText(beginning, parts[1], number))?.envelope).toMatchObject({ ...envelope, trace });
    expect(parts[1]).not.toContain('trace');
  });

  it('is that of an envelope with the number in front, as workers of version 0.1 read it', () => {
    const text = numberedText(...parts, number);
    expect(text.startsWith('{"n":["1700000000000-abcdefgh",7],"v":1,')).toBe(true);
    expect(readWsEnvelope(text)).toEqual({
      ...postmark,
      envelope: { ...envelope, number: { ...number, copy: 'copy1' } },
    });
  });

  it('has the number on a line of its own before what was signed', () => {
    const signed = unnumberedText(...parts);
    expect(readWsEnvelope(`#["${number.epoch}",7]\n${signed}`)).toEqual({
      ...postmark,
      envelope: { ...envelope, number: { ...number, copy: 'copy1' } },
    });
    expect(readWsEnvelope(signed)?.envelope).toEqual(envelope);
  });

  it.each(['#', '#[]\n', '#["e",0]\n', '#{}\n', '#["e",1]', '#["e",1]\n#["e",1]\n', '#\n'])(
    'is none with such a line: %j',
    (line) => {
      expect(readWsEnvelope(line)).toBeNull();
      expect(readWsEnvelope(line + unnumberedText(...parts))).toBeNull();
    },
  );

  it('is kept without its time and sender', () => {
    expect(readKept(roomName, parts[1])).toEqual(message);
    const plain = writeEntry({ text: '{}', exclude: [] });
    expect(plain).toBe('"is":"message"}\n{}');
    expect(readKept(roomName, plain)).toEqual({ text: '{}', exclude: [] });
  });

  it('keeps which users and rooms it leaves out, kept or on its way', () => {
    const sent = { text: '{}', exclude: [], excludeUsers: ['7'], excludeRooms: ['b'], copy: undefined };
    const entry = writeEntry(sent);
    expect(entry).toBe('"notUsers":["7"],"notIn":["b"],"is":"message"}\n{}');
    expect(readKept(roomName, entry)).toStrictEqual(sent);
    expect(readKept(roomName, unnumberedText(parts[0], entry))).toStrictEqual(sent);
    const { excludeUsers, excludeRooms } = sent;
    const read = readWsEnvelope(numberedText(parts[0], entry, number))?.envelope;
    expect(read).toMatchObject({ excludeUsers, excludeRooms, number });
  });

  it('is kept whole where it is signed, and is nothing in another room', () => {
    expect(readKept(roomName, unnumberedText(...parts))).toEqual(message);
    expect(readKept('another', unnumberedText(...parts))).toBeNull();
  });

  it.each([
    '',
    '{}',
    '{}\n',
    '{"is":"event"}\n{}',
    '{"is":"message","not":1}\n',
    '{"is":"message","copy":1}\n',
    '{"is":"message","notUsers":[1]}\n',
    '{"is":"message","notIn":""}\n',
    'x\n',
  ])('is nothing when what is kept is %j', (entry) => expect(readKept(roomName, entry)).toBeNull());
});
