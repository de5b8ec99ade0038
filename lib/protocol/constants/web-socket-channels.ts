import { schemeOf } from './scheme.js';

const NAMES = schemeOf({
  BROADCAST: 'ws:broadcast',
  ROOM_PREFIX: 'ws:room:',
  CLIENT_PREFIX: 'ws:client:',
  USER_PREFIX: 'ws:user:',
});

const PREFIXES = [NAMES.ROOM_PREFIX, NAMES.CLIENT_PREFIX, NAMES.USER_PREFIX];

/**
 * The names of Redis channels in Ignis, with its prefix `ws`. With that prefix the channels of this library have the
 * same names; but it has none of a client: what is for one goes to its worker. `cluster.ignis` hears and speaks these.
 */
export const WebSocketChannels = Object.freeze({
  ...NAMES,
  /** Whether it is the name of such a channel: `ws:broadcast`, or of one room, client or user. */
  isValid: (name: unknown): name is string =>
    name === NAMES.BROADCAST ||
    (typeof name === 'string' && PREFIXES.some((prefix) => name.startsWith(prefix) && name.length > prefix.length)),
  forRoom: ({ room }: { room: string }): string => `${NAMES.ROOM_PREFIX}${room}`,
  forClient: ({ clientId }: { clientId: string }): string => `${NAMES.CLIENT_PREFIX}${clientId}`,
  forUser: ({ userId }: { userId: string }): string => `${NAMES.USER_PREFIX}${userId}`,
  forRoomPattern: (): string => `${NAMES.ROOM_PREFIX}*`,
  forClientPattern: (): string => `${NAMES.CLIENT_PREFIX}*`,
  forUserPattern: (): string => `${NAMES.USER_PREFIX}*`,
});
