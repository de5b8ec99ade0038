/** A group of constants in the form that Ignis gives them: with the set of their values, and a check for one. */
export type WsScheme<Values extends Readonly<Record<string, unknown>>> = Values & {
  /** All values. */
  readonly SCHEME_SET: ReadonlySet<Values[keyof Values]>;
  /** Whether the value is one of them. */
  isValid(value: unknown): value is Values[keyof Values];
};

/** Adds the set of values and the check to constants. */
export function schemeOf<const Values extends Readonly<Record<string, unknown>>>(values: Values): WsScheme<Values> {
  type Value = Values[keyof Values];
  const set: ReadonlySet<unknown> = new Set(Object.values(values));
  return Object.freeze({
    ...values,
    SCHEME_SET: set as ReadonlySet<Value>,
    isValid: (value: unknown): value is Value => set.has(value),
  });
}

/** The system events of Ignis' protocol. */
export const WebSocketEvents = schemeOf({
  /** Client to server: its credentials. */
  AUTHENTICATE: 'authenticate',
  /** Server to client: the client is accepted. */
  CONNECTED: 'connected',
  /** Client to server: closes the connection. */
  DISCONNECT: 'disconnect',
  /** Client to server: joins rooms. */
  JOIN: 'join',
  /** Client to server: leaves rooms. */
  LEAVE: 'leave',
  /** Server to client: a refusal. */
  ERROR: 'error',
  /** Client to server: a sign of life. */
  HEARTBEAT: 'heartbeat',
  /** Both ways: an encrypted message. */
  ENCRYPTED: 'encrypted',
});

/** The states of a connection: the values of `WsClient.state`. */
export const WebSocketClientStates = schemeOf({
  UNAUTHORIZED: 'unauthorized',
  AUTHENTICATING: 'authenticating',
  AUTHENTICATED: 'authenticated',
  DISCONNECTED: 'disconnected',
});

/** Ignis' names for the kinds of receivers. */
export const WebSocketMessageTypes = schemeOf({
  CLIENT: 'client',
  /** Every connection of a user. */
  USER: 'user',
  ROOM: 'room',
  /** Everybody. */
  BROADCAST: 'broadcast',
});

const NAMES = schemeOf({
  BROADCAST: 'ws:broadcast',
  ROOM_PREFIX: 'ws:room:',
  CLIENT_PREFIX: 'ws:client:',
  USER_PREFIX: 'ws:user:',
});

const PREFIXES = [NAMES.ROOM_PREFIX, NAMES.CLIENT_PREFIX, NAMES.USER_PREFIX];

/**
 * The names of the Redis channels of Ignis, with its prefix `ws`. With that prefix this library's channels have the same
 * names, but it has no channels of clients: a message to a client goes to the client's worker. `cluster.ignis` listens and
 * publishes to the channels named here.
 */
export const WebSocketChannels = Object.freeze({
  ...NAMES,
  /** Whether the name is that of such a channel: `ws:broadcast`, or the channel of a room, a client or a user. */
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

/**
 * The defaults of an `event` endpoint, under their names in Ignis. `BROADCAST_TOPIC` and `PUBLISH_TO_SELF` have no effect
 * here; they exist for code that names them.
 */
export const WebSocketDefaults = schemeOf({
  PATH: '/ws',
  /** The first of the two rooms that every client is put into. */
  ROOM: 'ws-default',
  /** The second of them. */
  NOTIFICATION_ROOM: 'ws-notification',
  /** The topic of Ignis for messages to everybody. This library has no topic for them. */
  BROADCAST_TOPIC: 'ws:internal:broadcast',
  /** The largest message of a client, in bytes. */
  MAX_PAYLOAD_LENGTH: 131_072,
  /** Seconds after which a connection that answers no ping is closed. */
  IDLE_TIMEOUT: 25,
  /** The bytes that may wait for a slow client. */
  BACKPRESSURE_LIMIT: 1_048_576,
  /** Whether the server pings its connections. */
  SEND_PINGS: true,
  /** A setting of topics in Ignis. Here each send says whom it excludes. */
  PUBLISH_TO_SELF: false,
  /** The time to send credentials, in ms. */
  AUTH_TIMEOUT: 5_000,
  /** How often inactive clients are looked for, in ms. */
  HEARTBEAT_INTERVAL: 30_000,
  /** The time without a message after which a client is inactive, in ms. */
  HEARTBEAT_TIMEOUT: 90_000,
  /** How many encryptions run at once. */
  ENCRYPTED_BATCH_LIMIT: 10,
});
