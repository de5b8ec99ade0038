import type { ClientEncryption } from '../client-encryption.interface.js';
import { encryptedSocket } from './encrypted-socket.js';
import { WebCryptoSession } from './web-crypto.session.js';

/**
 * The client's side of the server's built-in encryption, with WebCrypto, for browsers and Node: PROTOCOL.md "Encryption". One
 * object serves any number of connections. Browsers have WebCrypto on secure pages only (https, localhost); elsewhere
 * `connect()` rejects with `BAD_OPTION`.
 *
 * @example new WebSocketClient({ url, encryption: webCryptoEncryption() })
 */
export function webCryptoEncryption(): ClientEncryption {
  return { offer: () => WebCryptoSession.create(), over: encryptedSocket };
}
