import type { Asker } from './asker.interface.js';
import { WebSocketClientError } from './websocket-client.error.js';

/** Answers that may wait to be read. */
const MAX_UNREAD = 1_024;

/**
 * The many answers of one request, as they come. Leaving a `for await` cancels it at the server. A reader that falls more
 * than 1,024 answers behind has lost the stream.
 */
export class AnswerStream implements Asker, AsyncIterableIterator<unknown, undefined> {
  readonly #begin: () => void;
  readonly #ended: (isLeft: boolean) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #values: unknown[] = [];
  readonly #reading = this.#read();
  #isOver = false;
  #failure: { readonly reason: unknown } | undefined;
  #wake: () => void = () => undefined;

  /**
   * @param begin sends the request; called with the first `next()`
   * @param ended called when nothing is waited for any more; `isLeft`: the server would go on
   */
  constructor(begin: () => void, ended: (isLeft: boolean) => void, signal: AbortSignal | undefined) {
    this.#begin = begin;
    this.#ended = ended;
    this.#signal = signal;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    return this.#reading.next();
  }

  return(): Promise<IteratorResult<unknown, undefined>> {
    this.#values.length = 0;
    this.#end(true);
    return this.#reading.return(undefined);
  }

  reply(response: unknown): void {
    this.#values.push(response);
    if (this.#values.length > MAX_UNREAD)
      this.#abort(new WebSocketClientError('RATE_LIMITED', 'The stream is not read.'));
    this.#wake();
  }

  done(): void {
    this.#end(false);
  }

  fail(reason: unknown): void {
    this.#failure ??= { reason };
    this.#end(false);
  }

  /** What has come is read before an end or a failure is. */
  async *#read(): AsyncGenerator<unknown, undefined> {
    this.#signal?.throwIfAborted();
    this.#signal?.addEventListener('abort', this.#aborted);
    this.#begin();
    for (;;) {
      if (this.#values.length > 0) yield this.#values.shift();
      else if (this.#failure) throw this.#failure.reason;
      else if (this.#isOver) return undefined;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  readonly #aborted = (): void => this.#abort(this.#signal?.reason);

  #abort(reason: unknown): void {
    this.#failure ??= { reason };
    this.#end(true);
  }

  #end(isLeft: boolean): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#signal?.removeEventListener('abort', this.#aborted);
    this.#ended(isLeft);
    this.#wake();
  }
}
