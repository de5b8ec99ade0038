import { WsError } from '../errors/ws.error.js';
import type { CloseReason } from '../protocol/close-codes.js';

/** An exchange of keys that has failed: what its client is answered, and what it is closed with. */
export class KeyExchangeError extends WsError {
  constructor(
    code: 'BAD_MESSAGE' | 'FORBIDDEN' | 'INTERNAL',
    message: string,
    readonly close: CloseReason,
  ) {
    super(code, message);
  }
}
