import type { WebSocketLike } from './connection/socket.interface.js';

/** Encrypts frames in addition to TLS. It begins a key exchange for each connection. */
export interface ClientEncryption {
  /**
   * Begins the key exchange of a new connection, with keys of its own. An exchange that is abandoned does not affect the next
   * one. When the promise rejects, the client tries again later; with a `WebSocketClientError` that is not retryable it stops,
   * and `connect()` rejects with that error.
   */
  offer(): Promise<EncryptionSession>;
  /**
   * Wraps a socket so that its frames are encrypted: `encryptedSocket` of the entry `client/encryption`. It is given here,
   * and is not part of the client, so that only pages that encrypt load it.
   */
  readonly over: (socket: WebSocketLike, session: EncryptionSession, protocol: string) => EncryptedSocket;
}

/**
 * The encryption of one connection. The client calls `encrypt`, and what decrypts, in order, and not before the previous
 * call has settled.
 */
export interface EncryptionSession {
  /** The client's public key, as it is sent to the server. */
  readonly publicKey: string;
  /** Announced to the server: `decrypt` reads lists too. Without it, the server encrypts each frame by itself. */
  readonly sealed?: 'lists' | undefined;
  /** Completes the exchange with the server's public key and salt from the welcome. */
  agree(answer: { serverPublicKey: string; salt: string }): Promise<void>;
  /** Encrypts the text of a frame. */
  encrypt(text: string): Promise<string>;
  /**
   * Decrypts what `encrypt` of the other side returned, or a list of texts that it has encrypted together; rejects when it is
   * something else, or not the next in order.
   */
  decrypt(data: string): Promise<string | readonly string[]>;
}

/** A socket whose user reads and writes clear frames, which travel encrypted. */
export interface EncryptedSocket extends WebSocketLike {
  /** Whether the keys are agreed. Before that frames are clear; after it a clear frame is an error. */
  readonly isAgreed: boolean;
  /** The size of an encrypted frame for a clear text of so many bytes. */
  sizeOf(bytes: number): number;
}
