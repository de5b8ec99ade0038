import { routeKey } from '../../protocol/route-key.js';
import type { ClientCodec, ClientMessage } from './client-codec.interface.js';
import { badMessage, NO_JSON } from './client-message.js';
import { fieldsOf, isOffset, parse, textOf, type Fields } from './frame-fields.js';
import type { Whisperer } from './handlers.interface.js';
import { WebSocketClientError } from '../websocket-client.error.js';
import { readWelcome, type Welcome } from '../welcome.js';

/** A decoded frame of the server, by its kind. */
export type ServerFrame = WelcomeFrame | AnswerFrame | CallFrame | PushFrame | ValueFrame;

/** The connection is accepted. */
export interface WelcomeFrame {
  readonly kind: 'welcome';
  /** The secret with which the next connection is the same member of its rooms. */
  readonly resume: string | undefined;
  readonly welcome: Welcome;
}

/** The answer to a request, or the refusal of a message without an id. */
export type AnswerFrame = (
  | { readonly kind: 'reply'; readonly response: unknown }
  | { readonly kind: 'done' }
  | { readonly kind: 'error'; readonly error: WebSocketClientError }
) & { readonly id: unknown; readonly data?: undefined };

/** A request of the server. */
export interface CallFrame extends ClientMessage {
  readonly kind: 'call';
  readonly callId: number;
}

/** A push of the server, or, with a response, an answer without an id. */
export interface PushFrame extends ClientMessage {
  readonly kind: 'push' | 'value';
  /** The route key of its names. */
  readonly id: string;
  readonly response: unknown;
  /** The room that it was sent to, when it is named. */
  readonly room: string | undefined;
  /** Its number in a room with history. */
  readonly offset: number | undefined;
  /** Names a message to several rooms with history, of which one copy comes for each room. */
  readonly copy: unknown;
  /** Who has whispered. */
  readonly from: Whisperer | undefined;
  /** The frame as the server wrote it. */
  readonly whole: unknown;
}

/** A JSON value without names. */
export interface ValueFrame {
  readonly kind: 'value';
  readonly room?: undefined;
  readonly offset?: undefined;
  readonly copy?: undefined;
  readonly whole: unknown;
}

/** Decodes one frame. A frame that is not JSON becomes an error without an id. Never throws. */
export function readFrame(text: unknown, codec: ClientCodec): ServerFrame {
  const whole = parse(text);
  if (whole === undefined) return { kind: 'error', id: undefined, error: badMessage(NO_JSON) };
  const fields = fieldsOf(whole);
  const names = codec.decodeNames(fields);
  if (!names) return { kind: 'value', whole };
  const { id, data, response, done, callId, room, offset, copy, from }: Fields & { from?: Whisperer } = fields;
  const key = routeKey(names.type, names.action);
  if (key === codec.errorKey) return { kind: 'error', id, error: readError(fieldsOf(data)) };
  if (key === routeKey(codec.ownType, 'connected'))
    return { kind: 'welcome', welcome: readWelcome(fieldsOf(data)), resume: textOf(fieldsOf(data).resume) };
  if (typeof callId === 'number') return { kind: 'call', ...names, data, callId };
  if (done === true) return { kind: 'done', id };
  // A pong answers the client's own ping, and is not passed on.
  if (id !== undefined || key === 'system:pong')
    return { kind: 'reply', id, response: response === undefined ? data : response };
  return {
    kind: response === undefined ? 'push' : 'value',
    ...names,
    id: key,
    data,
    response,
    room: textOf(room),
    offset: isOffset(offset) ? offset : undefined,
    copy,
    from,
    whole,
  };
}

/** Reads the fields of an error in either envelope. */
export function readError({ error, message, code: given, retryable, details }: Fields): WebSocketClientError {
  const code = textOf(given) ?? 'APPLICATION';
  return new WebSocketClientError(code, textOf(error) ?? textOf(message) ?? 'The server refused.', {
    retryable: retryable === undefined ? retryable : Boolean(retryable),
    details,
  });
}
