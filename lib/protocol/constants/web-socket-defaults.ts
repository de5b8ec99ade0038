import { schemeOf } from './scheme.js';

/**
 * What holds on an `event` endpoint without further options, under the names of Ignis. Two of them stand for nothing
 * here, and are there for code that names them: `BROADCAST_TOPIC` and `PUBLISH_TO_SELF`.
 */
export const WebSocketDefaults = schemeOf({
  PATH: '/ws',
  /** One of the rooms that each client joins by itself. */
  ROOM: 'ws-default',
  /** The other one. */
  NOTIFICATION_ROOM: 'ws-notification',
  /** The topic of Ignis. What is for everybody goes through no topic here. */
  BROADCAST_TOPIC: 'ws:internal:broadcast',
  /** Bytes of a message of a client. */
  MAX_PAYLOAD_LENGTH: 131_072,
  /** Seconds after which a connection that answers no ping is closed. */
  IDLE_TIMEOUT: 25,
  /** Bytes that may wait for a client. */
  BACKPRESSURE_LIMIT: 1_048_576,
  /** Whether connections are asked now and then whether they live. */
  SEND_PINGS: true,
  /** The setting of topics in Ignis. Here it is for each send to say whom it excludes. */
  PUBLISH_TO_SELF: false,
  /** Milliseconds to send credentials. */
  AUTH_TIMEOUT: 5_000,
  /** Milliseconds between two looks for inactive clients. */
  HEARTBEAT_INTERVAL: 30_000,
  /** Milliseconds without a message after which a client is inactive. */
  HEARTBEAT_TIMEOUT: 90_000,
  /** Encryptions that run at once. */
  ENCRYPTED_BATCH_LIMIT: 10,
});
