import { setImmediate as nextTurn } from 'node:timers/promises';
import { isObservable, Observable } from 'rxjs';

/** After so many values of an async iterable the event loop gets its turn, however fast they come. */
const VALUES_PER_TURN = 64;

/**
 * An answer that comes as values over time. With an interceptor it is not known before the handler returns whether the
 * answer is a stream: unless `begin` is called, only the last value is answered.
 */
export class AnswerStream {
  #isStream = false;
  #onBegin: (() => void) | null = null;
  #onFailure: ((exception: unknown) => void) | null = null;

  constructor(private source: Observable<unknown>) {}

  get values(): Observable<unknown> {
    return this.source;
  }

  /** Whether each value is an answer of its own. */
  get isStream(): boolean {
    return this.#isStream;
  }

  /** Passes the values through an operator. */
  through(operator: (values: Observable<unknown>) => Observable<unknown>): this {
    this.source = operator(this.source);
    return this;
  }

  /** The handler has returned a stream. */
  begin(): this {
    if (this.#isStream) return this; // an interceptor may call the handler again
    this.#isStream = true;
    this.#onBegin?.();
    return this;
  }

  /** Calls back once `begin` was called: at once, later or never. */
  whenBegun(callback: () => void): void {
    if (this.#isStream) callback();
    else this.#onBegin = callback;
  }

  /** The handler has thrown. Subscribers get what the interceptors make of it. */
  failed(exception: unknown): void {
    this.#onFailure?.(exception);
  }

  /** Calls back if the handler throws from now on: for a caller that has stopped subscribing. */
  whenFailed(callback: (exception: unknown) => void): void {
    this.#onFailure = callback;
  }
}

/** The stream that a handler has returned (an Observable or an async iterable); undefined for any other value. */
export function streamOf(value: unknown): Observable<unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (isObservable(value)) return value;
  return isAsyncIterable(value) ? observe(value) : undefined;
}

function isAsyncIterable(value: object): value is AsyncIterable<unknown> {
  return Symbol.asyncIterator in value && typeof value[Symbol.asyncIterator] === 'function';
}

/** Pulls one value after the other. Unsubscribing ends the iterator at once, so its `finally` runs. */
function observe(iterable: AsyncIterable<unknown>): Observable<unknown> {
  return new Observable((subscriber) => {
    const iterator = iterable[Symbol.asyncIterator]();
    let finished = false;
    const pull = async (): Promise<void> => {
      for (let pulled = 1; !subscriber.closed; pulled++) {
        const result = await iterator.next();
        if (result.done) {
          finished = true;
          subscriber.complete();
          return;
        }
        subscriber.next(result.value);
        if (pulled % VALUES_PER_TURN === 0) await nextTurn();
      }
    };
    pull().catch((error: unknown) => {
      finished = true;
      subscriber.error(error);
    });
    const end = async (): Promise<unknown> => iterator.return?.();
    return () => {
      if (!finished) void end().catch(() => undefined);
    };
  });
}
