import type { Codec, RequestNames } from './codec.interface.js';
import type { ErrorPayload, InboundMessage, ProtocolError, RequestId, Welcome } from './messages.js';
import { MAX_NAME_LENGTH, routeOfEvent } from './route-key.js';

/** The first seed's envelope (PXL): `{ type, action, data?, id? }`. */
export const pxlCodec: Codec = {
  name: 'pxl.v1',

  decode(text: string): InboundMessage | ProtocolError {
    let whole: unknown;
    try {
      whole = JSON.parse(text);
    } catch {
      return { problem: 'The message is not JSON.', id: undefined };
    }
    if (typeof whole !== 'object' || whole === null || Array.isArray(whole)) {
      return { problem: 'The message is not an object.', id: undefined };
    }
    const { type, action, data, id } = whole as Record<string, unknown>;
    if (id !== undefined && !isRequestId(id)) {
      return { problem: 'The id is neither a string of at most 64 characters nor a safe integer.', id: undefined };
    }
    if (!isName(type) || type.includes(':')) {
      return { problem: 'The type is not a string of 1 to 64 characters without a colon.', id };
    }
    if (!isName(action)) {
      return { problem: 'The action is not a string of 1 to 64 characters.', id };
    }
    return { type, action, data, id, whole };
  },

  encodePush(message: unknown): string | undefined {
    // JSON.stringify answers undefined for what has no JSON form, which its type does not say.
    return JSON.stringify(typedShape(message));
  },

  encodeReply({ type, action, id }: RequestNames, response: unknown): string {
    // A function or a symbol has no JSON form, as undefined has none: all of them are "nothing".
    const body = (JSON.stringify(response) as string | undefined) ?? 'null';
    return `${openReply(type, action, id)},"response":${body}}`;
  },

  encodeDone({ type, action, id }: RequestNames): string {
    return `${openReply(type, action, id)},"done":true}`;
  },

  encodeError(error: ErrorPayload, request: Partial<RequestNames> = {}): string {
    const { type, action, id } = request;
    const { details, ...rest } = error;
    return JSON.stringify({ type: 'error', action: 'message', id, data: { ...rest, type, action, details } });
  },

  encodeWelcome({ clientId, heartbeat, userId }: Welcome): string[] {
    const connected = { clientId, protocol: 'pxl.v1', heartbeat, userId };
    const frames = [JSON.stringify({ type: 'system', action: 'connected', data: connected })];
    if (userId !== undefined) {
      const authenticated = { userId, message: 'Authenticated.' };
      frames.push(JSON.stringify({ type: 'auth', action: 'authenticated', data: authenticated }));
    }
    return frames;
  },

  encodeCall(message: unknown, callId: number): string {
    const { type, action, data } = typedShape(message) as { type: string; action: string; data: unknown };
    return JSON.stringify({ type, action, data: data ?? null, callId });
  },
};

/** The event shape becomes the pair that its name stands for; everything else stays as it is. */
function typedShape(message: unknown): unknown {
  if (typeof message !== 'object' || message === null) return message;
  const { event, type, data } = message as Record<string, unknown>;
  return typeof event === 'string' && type === undefined ? { ...routeOfEvent(event), data } : message;
}

function openReply(type: string, action: string, id: RequestId | undefined): string {
  const names = `{"type":${JSON.stringify(type)},"action":${JSON.stringify(action)}`;
  return id === undefined ? names : `${names},"id":${JSON.stringify(id)}`;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_NAME_LENGTH;
}

function isRequestId(value: unknown): value is RequestId {
  return typeof value === 'string' ? value.length <= MAX_NAME_LENGTH : Number.isSafeInteger(value);
}
