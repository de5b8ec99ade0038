import { WebSocketClientError } from '../websocket-client.error.js';

/**
 * The answers of one request in order. Leaving a `for await` cancels the request at the server. A reader that falls more than
 * 1,024 answers behind loses the stream.
 */
export interface AnswerStream extends AsyncIterableIterator<unknown, undefined> {
  /** Adds an answer. */
  reply(response: unknown): void;
  /**
   * Ends the stream.
   *
   * @param isLeft whether the server has more answers and has to be told
   * @param failure the error that the reader gets, if there is one
   */
  end(isLeft: boolean, ...failure: readonly unknown[]): void;
}

/**
 * @param begin sends the request; called at the first `next()`
 * @param ended called when the stream has ended; `isLeft`: the server has more answers and has to be told
 */
export function answerStream(
  begin: () => void,
  ended: (isLeft: boolean) => void,
  signal: AbortSignal | undefined,
): AnswerStream {
  /** How many answers may wait to be read. */
  const most = 1_024;
  const values: unknown[] = [];
  /** Set when the stream has ended; it holds the failure, if there is one. */
  let over: readonly unknown[] | undefined;
  let wake = (): void => undefined;
  const end = (isLeft: boolean, ...failure: readonly unknown[]): void => {
    if (over) return;
    over = failure;
    signal?.removeEventListener('abort', abort);
    ended(isLeft);
    wake();
  };
  const judge = (): void => {
    if (values.length > most) end(true, new WebSocketClientError('RATE_LIMITED', 'There is no reader.'));
  };
  const abort = (): void => end(true, signal?.reason);
  /** Answers that have arrived are read before the end or the failure. */
  const read = async function* (): AsyncGenerator<unknown, undefined> {
    signal?.throwIfAborted();
    signal?.addEventListener('abort', abort);
    begin();
    while (values.length || !over) {
      if (values.length) yield values.shift();
      else await new Promise<void>((resolve) => (wake = resolve));
    }
    if (over.length) throw over[0];
    return;
  };
  const reading = read();
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: () => reading.next(),
    return: () => {
      values.length = 0;
      end(true);
      return reading.return(undefined);
    },
    reply: (response) => {
      // Node may bring several thousand at once: a reader gets the chance to read them first.
      if (values.push(response) === most + 1) setTimeout(judge);
      wake();
    },
    end,
  };
}
