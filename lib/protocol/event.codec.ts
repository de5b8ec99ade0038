import { CLOSE_CODES } from './close-codes.js';
import type { Codec, RequestNames } from './codec.interface.js';
import { ID_PROBLEM, isName, isRequestId, readFields, responseText } from './frame-fields.js';
import type { ErrorPayload, WsEventMessage, InboundMessage, ProtocolError, RequestId, Welcome } from './messages.js';
import { ENCRYPTED, eventOfRoute, isSystemEvent, routeOfEvent, SYSTEM_TYPE, WHISPER_TYPE } from './route-key.js';

/** The envelope of Ignis, which Nest's own gateways speak too: `{ event, data?, id? }`. */
export const eventCodec: Codec = {
  name: 'event.v1',
  unauthenticated: 'Not authenticated',
  inactive: CLOSE_CODES.HEARTBEAT_TIMEOUT,

  decode(text: string): InboundMessage | ProtocolError {
    const whole = readFields(text);
    if (typeof whole === 'string') return invalid(whole, undefined);
    const { event, data, id } = whole;
    if (id !== undefined && !isRequestId(id)) return invalid(ID_PROBLEM, undefined);
    if (typeof event !== 'string') return invalid('The event is not a string.', id);
    const { type, action } = isSystemEvent(event) ? { type: SYSTEM_TYPE, action: event } : routeOfEvent(event);
    if (!isName(type) || !isName(action)) {
      return invalid('The event is not a name of 1 to 64 characters, nor two of them around a colon.', id);
    }
    return { type, action, data, id, whole };
  },

  encodePush(message: unknown): string | undefined {
    const event = eventShape(message);
    if (event) return JSON.stringify(event);
    // JSON.stringify returns undefined for a value without a JSON form, though its type does not say so.
    const value = JSON.stringify(message) as string | undefined;
    return value === undefined ? undefined : `{"event":"message","data":${value}}`;
  },

  encodeReply({ type, action, id }: RequestNames, response: unknown): string {
    return `${openReply(type, action, id)},"data":${responseText(response)}}`;
  },

  encodeDone({ type, action, id }: RequestNames): string | undefined {
    return id === undefined ? undefined : `${openReply(type, action, id)},"done":true}`;
  },

  encodeError(error: ErrorPayload, { type, action, id }: Partial<RequestNames> = {}): string {
    const event = type === undefined || action === undefined ? undefined : eventOfRequest(type, action);
    const { error: message, code, retryable, details } = error;
    return JSON.stringify({ event: 'error', id, data: { message, code, retryable, event, details } });
  },

  encodeWelcome(welcome: Welcome): string[] {
    return [this.encodeIdentified(welcome)];
  },

  encodeIdentified({ clientId, terms, userId, time, serverPublicKey, salt, resume, resumed }: Welcome): string {
    const own = JSON.stringify({ id: clientId, userId, time, serverPublicKey, salt, resume, resumed });
    return `{"event":"connected","data":${own.slice(0, -1)},${terms}}}`;
  },

  encodeCall(message: unknown, callId: number): string {
    const call = eventShape(message);
    return JSON.stringify({ event: call?.event, data: call?.data ?? null, callId });
  },

  encodeEncrypted(data: unknown): string {
    return JSON.stringify({ event: ENCRYPTED, data });
  },

  encodeSealed(base64url: string): string {
    return `{"event":"${ENCRYPTED}","data":"${base64url}"}`;
  },
};

/** The error for a malformed frame. Ignis has one sentence for all of them; `details` tells the problem. */
function invalid(problem: string, id: RequestId | undefined): ProtocolError {
  return { problem: 'Invalid message format', details: { problem }, id };
}

/** A message in either shape as an event; undefined for any other value. */
function eventShape(message: unknown): WsEventMessage | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const { event, type, action, data } = message as Record<string, unknown>;
  if (typeof type === 'string' && typeof action === 'string') {
    if (type === WHISPER_TYPE) return whisperShape(action, message);
    const isError = type === 'error' && action === 'message' && typeof data === 'object' && data !== null;
    return isError ? { event: 'error', data: errorShape(data) } : { event: eventOfRoute(type, action), data };
  }
  return typeof event === 'string' && type === undefined ? (message as WsEventMessage) : undefined;
}

/** A whisper, unlike other pushes, always says in which room it was said and by whom. */
function whisperShape(
  action: string,
  { data, room, from }: { data?: unknown; room?: unknown; from?: unknown },
): WsEventMessage & { room: unknown; from: unknown } {
  return { event: eventOfRoute(WHISPER_TYPE, action), data, room, from };
}

/** Converts the error frame of the other codec, which an application may send, to this one's names. */
function errorShape({ error, ...more }: { error?: unknown }): object {
  return { message: error, ...more };
}

/** The event name of an answer to a request; the library's own requests have Ignis' names. */
function eventOfRequest(type: string, action: string): string {
  return type === SYSTEM_TYPE && isSystemEvent(action) ? action : eventOfRoute(type, action);
}

function openReply(type: string, action: string, id: RequestId | undefined): string {
  const event = `{"event":${JSON.stringify(eventOfRequest(type, action))}`;
  return id === undefined ? event : `${event},"id":${JSON.stringify(id)}`;
}
