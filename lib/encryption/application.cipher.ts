import type { ClientSession } from '../clients/session/client-session.js';
import type { WsEncryptionOpen, WsEncryptionTransform } from '../options/encryption.options.js';
import { FrameEvent } from '../protocol/frame-event.js';
import type { Cipher } from './cipher.interface.js';
import { checkEvent, type FrameCallback, type FrameCallbacks } from './frame-callbacks.js';

const TRANSFORM: FrameCallback = { option: 'encryption.transform', limit: 'encryption' };
/** Its failures end the connection, and that end is counted. */
const OPEN: FrameCallback = { option: 'encryption.open', limit: undefined };

/** A client's cipher through the application's own `transform` and `open`. */
export function applicationCipher(
  session: ClientSession,
  callbacks: FrameCallbacks,
  transform: WsEncryptionTransform,
  open: WsEncryptionOpen | undefined,
): Cipher {
  const { codec } = session;
  return {
    seal(text) {
      const { event, data } = new FrameEvent(codec, text);
      return callbacks.ask(
        TRANSFORM,
        session,
        () => transform({ client: session.client, event, data, text }),
        (answer) => {
          const sealed = checkEvent(answer);
          // In clear, the client could not tell it from a frame that a stranger on the way has written.
          if (sealed && sealed.event !== 'encrypted') throw new Error("It answered another event than 'encrypted'.");
          return sealed && codec.encodeEncrypted(sealed.data);
        },
      );
    },
    open: open && ((data) => callbacks.ask(OPEN, session, () => open({ client: session.client, data }), checkText)),
  };
}

function checkText(text: string | null): string | null {
  if (text === null || typeof text === 'string') return text;
  throw new Error('It answered neither a text nor null.');
}
