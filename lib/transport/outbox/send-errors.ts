import { WsError } from '../../errors/ws.error.js';

/** The application has sent something by the socket itself of an encrypted client: it would have gone out in clear. */
export class ClearSendError extends WsError {
  constructor() {
    super('CONFLICT', 'The client is encrypted: send through the client, not through its socket.');
  }
}

/** What was sent by a socket itself was dropped: the client is gone, or reads too slowly for its byte budget. */
export class NotSentError extends WsError {
  constructor() {
    super('UNAVAILABLE', 'It was not sent: the client is gone, or reads too slowly.');
  }
}
