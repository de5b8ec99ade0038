import { CLOSE_CODES } from './close-codes.js';
import type { Codec, RequestNames } from './codec.interface.js';
import { ID_PROBLEM, isName, isRequestId, readFields, responseText } from './frame-fields.js';
import type { ErrorPayload, InboundMessage, ProtocolError, RequestId, Welcome } from './messages.js';
import { ENCRYPTED, routeOfEvent, SYSTEM_TYPE } from './route-key.js';

/** The envelope of PXL: `{ type, action, data?, id? }`. */
export const pxlCodec: Codec = {
  name: 'pxl.v1',
  unauthenticated: 'Authenticate first.',
  inactive: CLOSE_CODES.INACTIVE,

  decode(text: string): InboundMessage | ProtocolError {
    const whole = readFields(text);
    if (typeof whole === 'string') return { problem: whole, id: undefined };
    const { type, action, data, id } = whole;
    if (id !== undefined && !isRequestId(id)) return { problem: ID_PROBLEM, id: undefined };
    if (!isName(type) || type.includes(':')) {
      return { problem: 'The type is not a string of 1 to 64 characters without a colon.', id };
    }
    if (!isName(action)) {
      return { problem: 'The action is not a string of 1 to 64 characters.', id };
    }
    return { type, action, data, id, whole };
  },

  encodePush(message: unknown): string | undefined {
    // JSON.stringify returns undefined for a value without a JSON form, though its type does not say so.
    return JSON.stringify(typedShape(message));
  },

  encodeReply({ type, action, id }: RequestNames, response: unknown): string {
    return `${openReply(type, action, id)},"response":${responseText(response)}}`;
  },

  encodeDone({ type, action, id }: RequestNames): string {
    return `${openReply(type, action, id)},"done":true}`;
  },

  encodeError(error: ErrorPayload, request: Partial<RequestNames> = {}): string {
    const { type, action, id } = request;
    const { details, ...rest } = error;
    return JSON.stringify({ type: 'error', action: 'message', id, data: { ...rest, type, action, details } });
  },

  encodeWelcome(welcome: Welcome): string[] {
    const { clientId, terms, userId, serverPublicKey, salt, resume, resumed } = welcome;
    const own = JSON.stringify({ clientId, protocol: 'pxl.v1', userId, serverPublicKey, salt, resume, resumed });
    const frame = `{"type":"system","action":"connected","data":${own.slice(0, -1)},${terms}}}`;
    return userId === undefined ? [frame] : [frame, this.encodeIdentified(welcome)];
  },

  encodeIdentified({ userId }: Welcome): string {
    return JSON.stringify({ type: 'auth', action: 'authenticated', data: { userId, message: 'Authenticated.' } });
  },

  encodeCall(message: unknown, callId: number): string {
    const { type, action, data } = typedShape(message) as { type: string; action: string; data: unknown };
    return JSON.stringify({ type, action, data: data ?? null, callId });
  },

  encodeEncrypted(data: unknown): string {
    return JSON.stringify({ type: SYSTEM_TYPE, action: ENCRYPTED, data });
  },

  encodeSealed(base64url: string): string {
    return `{"type":"${SYSTEM_TYPE}","action":"${ENCRYPTED}","data":"${base64url}"}`;
  },
};

/** Converts the event shape to a pair of names; every other value stays as it is. */
function typedShape(message: unknown): unknown {
  if (typeof message !== 'object' || message === null) return message;
  const { event, type, data } = message as Record<string, unknown>;
  return typeof event === 'string' && type === undefined ? { ...routeOfEvent(event), data } : message;
}

function openReply(type: string, action: string, id: RequestId | undefined): string {
  const names = `{"type":${JSON.stringify(type)},"action":${JSON.stringify(action)}`;
  return id === undefined ? names : `${names},"id":${JSON.stringify(id)}`;
}
