/**
 * How frames are encrypted beside TLS: the keys of one connection after the other. The client keeps the order of the calls:
 * no `encrypt` or `decrypt` begins before the one of the same kind before it has settled.
 */
export interface ClientEncryption {
  /** Begins the exchange of a new connection: its public key, as it is sent. Forgets the keys of the one before. */
  offer(): Promise<{ publicKey: string }>;
  /** Ends the exchange with what the server's welcome brought. */
  agree(answer: { serverPublicKey: string; salt: string }): Promise<void>;
  /** The text of a frame, encrypted. */
  encrypt(text: string): Promise<string>;
  /** The text behind what `encrypt` of the other side made; rejects when it is not, or not the next one. */
  decrypt(data: string): Promise<string>;
}
