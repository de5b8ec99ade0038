import type { WebSocketLike } from './connection/socket.interface.js';

/** How frames are encrypted beside TLS: what begins the key exchange of one connection after the other. */
export interface ClientEncryption {
  /**
   * Begins the exchange of a new connection, with keys of its own: an exchange that is given up meanwhile changes nothing
   * for the next one. When it rejects, the client tries again later, unless with a `WebSocketClientError` that is not
   * retryable: the client stops then, and `connect()` rejects with it.
   */
  offer(): Promise<EncryptionSession>;
  /**
   * Lays the encryption of a connection over its socket: `encryptedSocket` of the entry `client/encryption`, which is no
   * part of the client itself, so that only pages that encrypt load it.
   */
  readonly over: (socket: WebSocketLike, session: EncryptionSession, protocol: string) => EncryptedSocket;
}

/**
 * The encryption of one connection. The order of the calls is kept: no `encrypt` or `decrypt` begins before the one of the
 * same kind before it has settled.
 */
export interface EncryptionSession {
  /** The client's half of the exchange, as it is sent. */
  readonly publicKey: string;
  /** Ends the exchange with what the server's welcome brought. */
  agree(answer: { serverPublicKey: string; salt: string }): Promise<void>;
  /** The text of a frame, encrypted. */
  encrypt(text: string): Promise<string>;
  /** The text behind what `encrypt` of the other side made; rejects when it is not, or not the next one. */
  decrypt(data: string): Promise<string>;
}

/** A socket that takes and gives frames in clear, and carries them encrypted. */
export interface EncryptedSocket extends WebSocketLike {
  /** Whether both sides have agreed on keys: until then frames are clear, afterwards a clear one is a breach. */
  readonly isAgreed: boolean;
  /** The bytes of a frame as it leaves, of so many bytes in clear. */
  sizeOf(bytes: number): number;
}
