import { EVENT_TYPE, eventOfRoute, routeOfEvent } from '../../protocol/route-key.js';
import type { ClientCodec } from './client-codec.interface.js';

type Envelope = Omit<ClientCodec, 'name' | 'isOther'>;

/** The client's side of `{ type, action, data?, id? }`. */
const pxl: Envelope = {
  ownType: 'system',
  errorKey: 'error:message',
  beats: false,
  encodeNames: (type, action) => ({ type, action }),
  decodeNames: ({ type, action }) =>
    typeof type === 'string' && typeof action === 'string' ? { type, action } : undefined,
};

/** The client's side of `{ event, data?, id? }`. */
const event: Envelope = {
  ownType: EVENT_TYPE,
  errorKey: 'event:error',
  beats: true,
  encodeNames: (type, action) => ({ event: eventOfRoute(type, action) }),
  decodeNames: ({ event: name }) => (typeof name === 'string' ? routeOfEvent(name) : undefined),
};

/** The codecs by the values of the option `protocol`. */
export const CLIENT_CODECS = { pxl, event };
