import { WsError } from '../../errors/ws.error.js';
import { NotSentError } from './not-sent.error.js';
import type { OutboundPassage } from './outbound-passage.js';
import type { Data, SendCallback, SendOptions } from './outbox.socket.js';
import { textOfSend } from './text-of-send.js';
import { OPEN } from '../../runtime/socket-state.js';

/** A socket whose texts pass something. */
export interface DirectSocket {
  readonly readyState: number;
  sendText(text: string): boolean;
  sendBinary(text: string): boolean;
  /** Sends past every step, which an encrypted client is refused. */
  sendBytes(data: Data, options: SendOptions, done?: SendCallback): void;
}

/**
 * Sends what the application sends by the socket itself, in its place: a text passes what all texts do, bytes wait for
 * what was sent before them.
 *
 * @throws WsError CONFLICT for what could pass no transformer: a fragment, or a text message of unread bytes
 */
export function sendDirectly(
  socket: DirectSocket,
  passage: OutboundPassage,
  data: Data,
  options: SendOptions,
  done?: SendCallback,
): void {
  if (options.fin === false) throw new WsError('CONFLICT', 'With an outboundTransformer a message is sent whole.');
  const text = textOfSend(data, options);
  const tell = (isTaken: boolean): void => {
    if (!done) return;
    passage.after(() => done(isTaken && socket.readyState === OPEN ? undefined : new NotSentError()));
  };
  if (text !== null) tell(socket.sendText(text));
  else if (typeof data === 'string') tell(socket.sendBinary(data));
  else passage.after(() => socket.sendBytes(data, options, done), sizeOf(data));
}

function sizeOf(data: Data): number {
  if (typeof data !== 'object') return 0;
  if (data instanceof Blob) return data.size;
  return 'byteLength' in data ? data.byteLength : 0;
}
