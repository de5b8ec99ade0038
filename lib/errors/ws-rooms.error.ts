import { brand } from '../runtime/brand.js';
import { asError, isInstanceOf } from './as-error.js';
import { WsError, type WsErrorOptions } from './ws.error.js';

/**
 * A message to several rooms, of which at least one has history, did not get into all of them. Sent again with the same
 * `idempotencyKey` it gets into the others.
 */
export class WsRoomsError extends WsError {
  static {
    brand(this, 'WsRoomsError');
  }

  /**
   * @param rooms the rooms that have the message. Unlike `details` they stay on the server: names of rooms are not for the
   * client whose request made a handler send
   */
  constructor(
    code: string,
    message: string,
    readonly rooms: readonly string[],
    options?: WsErrorOptions,
  ) {
    super(code, message, options);
  }

  /** @param cause why the first of the other rooms did not get it; its code is this error's too */
  static of(cause: unknown, rooms: readonly string[]): WsRoomsError {
    const code = isInstanceOf(cause, WsError) ? cause.code : 'INTERNAL';
    const why = asError(cause).message;
    return new WsRoomsError(code, `Not all of the rooms have the message. ${why}`, rooms, { cause });
  }
}
