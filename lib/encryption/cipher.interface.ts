import type { OutboundCipher } from '../clients/session/client-outbox.interface.js';

/** A value, or a promise of one that does not reject. */
export type Eventually<T> = T | Promise<T>;

/** Encrypts and decrypts the frames of one connection. Its methods are called in the order of the frames. */
export interface Cipher extends OutboundCipher {
  /**
   * The text of the frame that the `data` of an encrypted frame holds; null when it is not the connection's next frame.
   * Without this method, encrypted frames go to the application, which opens them.
   */
  open?(data: unknown): Eventually<string | null>;
}
