import { WsError } from '../../errors/ws.error.js';

/** Something sent by a socket itself was dropped: the client is gone, or reads too slowly for its byte budget. */
export class NotSentError extends WsError {
  constructor() {
    super('UNAVAILABLE', 'It was not sent: the client is gone, or reads too slowly.');
  }
}
