/** How frames are encrypted beside TLS: what begins the key exchange of one connection after the other. */
export interface ClientEncryption {
  /**
   * Begins the exchange of a new connection, with keys of its own: an exchange that is given up meanwhile changes nothing
   * for the next one. When it rejects, the client tries again later, unless with a `WebSocketClientError` that is not
   * retryable: the client stops then, and `connect()` rejects with it.
   */
  offer(): Promise<EncryptionSession>;
}

/**
 * The encryption of one connection. The client keeps the order of the calls: no `encrypt` or `decrypt` begins before the one
 * of the same kind before it has settled.
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
