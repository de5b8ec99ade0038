import type { WsWhere } from '../../clients/where.js';
import type { WsContent, WsEnvelope, WsReceivedEnvelope, WsTarget } from './envelope.js';
import { isConflateKey } from '../../clients/conflate.js';
import { traceOf } from '../../tracing/trace-context.js';
import { isTexts, readJson } from './json-text.js';

/** The version of the header. Envelopes of other versions are ignored. */
export const VERSION = 1;
/** That of a message for some members (`where`): a worker that knows no filters would bring it to all of them. */
const FILTERED_VERSION = 2;

/** Begins the line that Redis puts before a signed message with a number. */
const STAMP = '#';

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

/** A place in a room with history. */
type Place = readonly [epoch: string, offset: number];

/** The first line of an envelope's text. The names are short because it precedes every message. */
interface Header {
  /** The place of a message in a room with history; Redis puts it in. */
  readonly n?: Place | undefined;
  readonly v: number;
  readonly from: string | null;
  readonly at: number;
  readonly id?: string | undefined;
  readonly to: readonly [kind: WsTarget['kind'], ...names: string[]];
  readonly not?: readonly string[] | undefined;
  readonly notUsers?: readonly string[] | undefined;
  /** Members of these rooms are left out. */
  readonly notIn?: readonly string[] | undefined;
  /** Which members of the rooms get it. */
  readonly where?: WsWhere | undefined;
  /** The id of a send to several rooms, of a numbered message only. */
  readonly copy?: string | undefined;
  readonly volatile?: true | undefined;
  readonly conflate?: string | undefined;
  /** W3C's two fields, of the span that has sent it. Not checked here: a malformed one is no reason to lose a message. */
  readonly traceparent?: unknown;
  readonly tracestate?: unknown;
  readonly is: WsContent['kind'];
}

/** Who gets the message, beside the target and `not`, and what it takes the place of. */
type Choice = Pick<Header, 'notUsers' | 'notIn' | 'where' | 'conflate'>;

/** Writes an envelope as text: a JSON header, a line feed, and the content unchanged. */
export function writeWsEnvelope(
  { target, exclude, excludeUsers, excludeRooms, where, isVolatile, conflate, content, trace }: WsEnvelope,
  { origin, sentAt, id }: WsEnvelopeOrigin,
): string {
  const header: Header = {
    v: where ? FILTERED_VERSION : VERSION,
    from: origin,
    at: sentAt,
    id,
    to: addressOf(target),
    not: exclude.length > 0 ? exclude : undefined,
    notUsers: excludeUsers,
    notIn: excludeRooms,
    where,
    volatile: isVolatile || undefined,
    conflate,
    traceparent: trace?.traceparent,
    tracestate: trace?.tracestate,
    is: content.kind,
  };
  return `${JSON.stringify(header)}\n${content.text}`;
}

/**
 * Reads the text of an envelope; null when it is malformed. Never throws.
 *
 * @param number the message's place in a room with history, where it stands before the header
 */
export function readWsEnvelope(text: string, number?: Place): WsReceivedText | null {
  if (text.startsWith(STAMP)) return readStamped(text);
  const end = text.indexOf('\n');
  if (end < 0) return null;
  const header = readHeader(text.slice(0, end));
  const target = header && targetOf(header.to);
  if (!target) return null;
  const { from: origin, at: sentAt, id, not: exclude = [], volatile: isVolatile = false } = header;
  const content = { kind: header.is, text: text.slice(end + 1) };
  const { n = number, where } = header;
  if (n === undefined) {
    const envelope: WsReceivedEnvelope = { origin, target, exclude, isVolatile, content };
    return { origin, sentAt, id, envelope: complete(envelope, header) };
  }
  if (target.kind !== 'rooms' || target.roomNames.length !== 1 || content.kind !== 'message' || where) return null;
  const place = { epoch: n[0], offset: n[1], copy: header.copy };
  const envelope: WsReceivedEnvelope = { origin, target, exclude, isVolatile, content, number: place };
  return { origin, sentAt, id, envelope: complete(envelope, header) };
}

/** With what few envelopes have. */
function complete(envelope: WsReceivedEnvelope, header: Header): WsReceivedEnvelope {
  const trace = header.traceparent === undefined ? undefined : traceOf(header);
  if (isPlain(header) && !trace) return envelope;
  return { ...envelope, ...choiceOf(header), ...(trace && { trace }) };
}

/** Whether it leaves out clients at most, as nearly all do. */
function isPlain({ notUsers, notIn, where, conflate }: Choice): boolean {
  return !notUsers && !notIn && !where && conflate === undefined;
}

/** What is not given is not there. */
export function choiceOf({
  notUsers,
  notIn,
  where,
  conflate,
}: Choice): Pick<WsEnvelope, 'excludeUsers' | 'excludeRooms' | 'where' | 'conflate'> {
  return {
    ...(notUsers && { excludeUsers: notUsers }),
    ...(notIn && { excludeRooms: notIn }),
    ...(where && { where }),
    ...(conflate !== undefined && { conflate }),
  };
}

/** Of a signed message Redis puts the number before the signature: `#["<epoch>",<offset>]`, a line feed, the message. */
function readStamped(text: string): WsReceivedText | null {
  const end = text.indexOf('\n');
  const number = readJson(text.slice(STAMP.length, end))?.value;
  return isPlace(number) && !text.startsWith(STAMP, end + 1) ? readWsEnvelope(text.slice(end + 1), number) : null;
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
  const { n, v, from, at, id, to, not, notUsers, notIn, where, copy, conflate, is } = value as Record<
    keyof Header,
    unknown
  >;
  return (
    v === (where === undefined ? VERSION : FILTERED_VERSION) &&
    (from === null || typeof from === 'string') &&
    typeof at === 'number' &&
    (id === undefined || isId(id)) &&
    isTexts(to) &&
    (n === undefined || isPlace(n)) &&
    (not === undefined || isTexts(not)) &&
    (notUsers === undefined || isTexts(notUsers)) &&
    (notIn === undefined || isTexts(notIn)) &&
    (where === undefined || (isWhere(where) && to[0] === 'rooms' && is === 'message')) &&
    (copy === undefined || isId(copy)) &&
    (conflate === undefined || isConflateKey(conflate)) &&
    CONTENTS.includes(is)
  );
}

function isWhere(value: unknown): value is WsWhere {
  return Array.isArray(value) && value.length <= 2 && typeof value[0] === 'string';
}

export function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST_ID;
}

function isPlace(value: unknown): value is Place {
  if (!Array.isArray(value)) return false;
  const [epoch, offset] = value as unknown[];
  return isId(epoch) && typeof offset === 'number' && Number.isSafeInteger(offset) && offset > 0;
}
