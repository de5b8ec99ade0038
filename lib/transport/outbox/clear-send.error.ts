import { WsError } from '../../errors/ws.error.js';

/** The application has sent something by the socket itself of an encrypted client: it would have gone out in clear. */
export class ClearSendError extends WsError {
  constructor() {
    super('CONFLICT', 'The client is encrypted: send through the client, not through its socket.');
  }
}
