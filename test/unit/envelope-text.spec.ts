import { describe, expect, it } from '@jest/globals';
import { readWsEnvelope, writeWsEnvelope } from '../../lib/cluster/bus/envelope-text.js';
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
    }).map(([what, change]) => [what, `${JSON.stringify({ ...header, ...change })}\n{}`]),
  ])('is none with %s', (_what, text) => {
    expect(readWsEnvelope(text)).toBeNull();
  });

  it('is one with that header', () => {
    expect(readWsEnvelope(`${JSON.stringify(header)}\n{}`)).not.toBeNull();
  });
});
