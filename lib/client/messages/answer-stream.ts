import { WebSocketClientError } from '../websocket-client.error.js';

/**
 * The answers of one request, as they come, be it one or many. Leaving a `for await` cancels it at the server. A reader that
 * falls more than 1,024 answers behind has lost the stream.
 */
export interface AnswerStream extends AsyncIterableIterator<unknown, undefined> {
  /** An answer has come. */
  reply(response: unknown): void;
  /**
   * There will be no further one.
   *
   * @param isLeft the server would go on
   * @param failure what the reader is to hear of it, if anything
   */
  end(isLeft: boolean, ...failure: readonly unknown[]): void;
}

/**
 * @param begin sends the request; called with the first `next()`
 * @param ended called when nothing is waited for any more; `isLeft`: the server would go on
 */
export function answerStream(
  begin: () => void,
  ended: (isLeft: boolean) => void,
  signal: AbortSignal | undefined,
): AnswerStream {
  /** Answers that may wait to be read. */
  const most = 1_024;
  const values: unknown[] = [];
  /** Set once no more is to come; holds what the stream has failed with. */
  let over: readonly unknown[] | undefined;
  let wake = (): void => undefined;
  const end = (isLeft: boolean, ...failure: readonly unknown[]): void => {
    if (over) return;
    over = failure;
    signal?.removeEventListener('abort', abort);
    ended(isLeft);
    wake();
  };
  const abort = (): void => end(true, signal?.reason);
  /** What has come is read before an end or a failure is. */
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
      if (values.push(response) > most) end(true, new WebSocketClientError('RATE_LIMITED', 'There is no reader.'));
      wake();
    },
    end,
  };
}
