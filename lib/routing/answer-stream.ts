import { isObservable, Observable } from 'rxjs';

/**
 * An answer that comes as values over time. Behind an interceptor nobody knows, before the handler has returned, whether
 * it is a stream: until `begin` is called, the last value is the one answer.
 */
export class AnswerStream {
  #isStream = false;
  #onBegin: (() => void) | null = null;

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
    this.#isStream = true;
    this.#onBegin?.();
    return this;
  }

  /** Calls back once it is known that this is a stream: at once, or never. */
  whenBegun(callback: () => void): void {
    if (this.#isStream) callback();
    else this.#onBegin = callback;
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
      while (!subscriber.closed) {
        const result = await iterator.next();
        if (result.done) {
          finished = true;
          subscriber.complete();
          return;
        }
        subscriber.next(result.value);
      }
    };
    pull().catch((error: unknown) => {
      finished = true;
      subscriber.error(error);
    });
    return () => {
      if (!finished) void Promise.resolve(iterator.return?.()).catch(() => undefined);
    };
  });
}
