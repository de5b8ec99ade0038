/** A value, or a promise of one that does not reject. */
export type Eventually<T> = T | Promise<T>;

/** Hides the frames of one connection, in both directions. Its methods are called in the order of the frames. */
export interface Cipher {
  /** The text of the encrypted frame that stands for a frame; null: nothing is sent. */
  seal(text: string): Eventually<string | null>;
  /**
   * The text of the frame behind the `data` of an encrypted one; null when it is not the connection's next one. Without
   * this method such frames are the application's to open.
   */
  open?(data: unknown): Eventually<string | null>;
}
