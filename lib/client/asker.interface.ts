/** Who waits for the answers of a request. */
export interface Asker {
  /** An answer has come. */
  reply(response: unknown): void;
  /** There will be no further one. */
  done(): void;
  fail(error: unknown): void;
}
