import { schemeOf } from './scheme.js';

/** What holds on an `event` endpoint without further options, under the names of Ignis. */
export const WebSocketDefaults = schemeOf({
  PATH: '/ws',
  ROOM: 'ws-default',
  NOTIFICATION_ROOM: 'ws-notification',
  BROADCAST_TOPIC: 'ws:internal:broadcast',
  /** Bytes of a message of a client. */
  MAX_PAYLOAD_LENGTH: 131_072,
  /** Seconds after which a connection that answers no ping is closed. */
  IDLE_TIMEOUT: 25,
  /** Bytes that may wait for a client. */
  BACKPRESSURE_LIMIT: 1_048_576,
  SEND_PINGS: true,
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
