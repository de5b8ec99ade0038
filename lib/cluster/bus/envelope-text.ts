import type { WsContent, WsEnvelope, WsReceivedEnvelope, WsTarget } from './envelope.js';
import { isTexts } from './json-text.js';

/** The version of the header. Envelopes of other versions are ignored. */
const VERSION = 1;

/** Characters. Receivers remember ids, so a longer one is not accepted. */
const LONGEST_ID = 64;

const CONTENTS: readonly unknown[] = ['message', 'event', 'command', 'call', 'answer'] satisfies WsContent['kind'][];

/** What the sender's side of the bus adds to an envelope. */
export interface WsEnvelopeOrigin {
  /** The sending worker's id; null: an emitter, which has no clients. */
  readonly origin: string | null;
  /** When it was sent: ms since 1970 by the clock of the bus. */
  readonly sentAt: number;
  /**
   * Identifies the envelope, at most 64 characters. Copies on several channels, or published again, have the same id.
   * Undefined: sent by a worker of version 0.1, on one channel.
   */
  readonly id?: string | undefined;
}

/** An envelope as it came from the bus, with its origin. */
export interface WsReceivedText extends WsEnvelopeOrigin {
  readonly envelope: WsReceivedEnvelope;
}

/** The first line of an envelope's text. The names are short because it precedes every message. */
interface Header {
  readonly v: number;
  readonly from: string | null;
  readonly at: number;
  readonly id?: string | undefined;
  readonly to: readonly [kind: WsTarget['kind'], ...names: string[]];
  readonly not?: readonly string[] | undefined;
  readonly volatile?: true | undefined;
  readonly is: WsContent['kind'];
}

/** Writes an envelope as text: a JSON header, a line feed, and the content unchanged. */
export function writeWsEnvelope(
  { target, exclude, isVolatile, content }: WsEnvelope,
  { origin, sentAt, id }: WsEnvelopeOrigin,
): string {
  const header: Header = {
    v: VERSION,
    from: origin,
    at: sentAt,
    id,
    to: addressOf(target),
    not: exclude.length > 0 ? exclude : undefined,
    volatile: isVolatile || undefined,
    is: content.kind,
  };
  return `${JSON.stringify(header)}\n${content.text}`;
}

/** Reads the text of an envelope; null when it is malformed. Never throws. */
export function readWsEnvelope(text: string): WsReceivedText | null {
  const end = text.indexOf('\n');
  if (end < 0) return null;
  const header = readHeader(text.slice(0, end));
  const target = header && targetOf(header.to);
  if (!target) return null;
  const { from: origin, at: sentAt, id, not: exclude = [], volatile: isVolatile = false } = header;
  const content = { kind: header.is, text: text.slice(end + 1) };
  return { origin, sentAt, id, envelope: { origin, target, exclude, isVolatile, content } };
}

function addressOf(target: WsTarget): Header['to'] {
  switch (target.kind) {
    case 'everybody':
      return [target.kind];
    case 'clients':
      return [target.kind, ...target.clientIds];
    case 'users':
      return [target.kind, ...target.userIds];
    case 'rooms':
      return [target.kind, ...target.roomNames];
    case 'workers':
      return [target.kind, ...target.workerIds];
    case 'subscribers':
      return [target.kind, target.channel];
  }
}

function targetOf([kind, ...names]: Header['to']): WsTarget | null {
  switch (kind) {
    case 'everybody':
      return { kind };
    case 'clients':
      return { kind, clientIds: names };
    case 'users':
      return { kind, userIds: names };
    case 'rooms':
      return { kind, roomNames: names };
    case 'workers':
      return { kind, workerIds: names };
    case 'subscribers':
      return names[0] === undefined ? null : { kind, channel: names[0] };
    default:
      return null;
  }
}

function readHeader(line: string): Header | null {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return null;
  }
  return isHeader(value) ? value : null;
}

/** Checks every field, because anybody who reaches the bus can publish on the channels. */
function isHeader(value: unknown): value is Header {
  if (typeof value !== 'object' || value === null) return false;
  const { v, from, at, id, to, not, is } = value as Record<keyof Header, unknown>;
  return (
    v === VERSION &&
    (from === null || typeof from === 'string') &&
    typeof at === 'number' &&
    (id === undefined || (typeof id === 'string' && id.length <= LONGEST_ID)) &&
    isTexts(to) &&
    (not === undefined || isTexts(not)) &&
    CONTENTS.includes(is)
  );
}
