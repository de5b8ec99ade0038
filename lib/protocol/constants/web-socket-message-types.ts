import { schemeOf } from './scheme.js';

/** The names of Ignis for whom a message is for. */
export const WebSocketMessageTypes = schemeOf({
  CLIENT: 'client',
  /** Every session of a user. */
  USER: 'user',
  ROOM: 'room',
  /** Everybody. */
  BROADCAST: 'broadcast',
});
