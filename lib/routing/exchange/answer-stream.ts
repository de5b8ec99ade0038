import { setImmediate as nextTurn } from 'node:timers/promises';
import { isObservable, Observable } from 'rxjs';

/** Values pulled from an async iterable in a row; then the event loop gets its turn, however fast they come. */
const VALUES_PER_TURN = 64;

/**
 * An answer that comes as values over time. Behind an interceptor nobody knows, before the handler has returned, whether
 * it is a stream: until `begin` is called, the last value is the one answer.
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

  /** Has the values pass through an operator. */
  through(operator: (values: Observable<unknown>) => Observable<unknown>): this {
    this.source = operator(this.source);
    return this;
  }

  /** The handler turned out to have returned a stream. */
  begin(): this {
    if (this.#isStream) return this; // an interceptor may call the handler again
    this.#isStream = true;
    this.#onBegin?.();
    return this;
  }

  /** Calls back once it is known that this is a stream: at once, or never. */
  whenBegun(callback: () => void): void {
    if (this.#isStream) callback();
    else this.#onBegin = callback;
  }

  /** The handler has thrown. Whoever takes the values gets what interceptors make of that. */
  failed(exception: unknown): void {
    this.#onFailure?.(exception);
  }

  /** Calls back if the handler throws from now on: for who does not take the values any more. */
  whenFailed(callback: (exception: unknown) => void): void {
    this.#onFailure = callback;
  }
}

/** The stream that a handler returned: an Observable or an async iterable; undefined for any other value. */
export function streamOf(value: unknown): Observable<unknown> | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (isObservable(value)) return value;
  return isAsyncIterable(value) ? observe(value) : undefined;
}

function isAsyncIterable(value: object): value is AsyncIterable<unknown> {
  return Symbol.asyncIterator in value && typeof value[Symbol.asyncIterator] === 'function';
}

/** Pulls one value after the other. Unsubscribing ends the iterator at once, so that its `finally` runs. */
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
