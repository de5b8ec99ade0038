import { Subscription } from 'rxjs';
import type { AnswerStream } from './answer-stream.js';

/** What becomes of the values of an {@link AnswerStream}. */
export interface StreamReplySink {
  /** A value of a stream. */
  next(value: unknown): void;
  /** The end of a stream, come by itself or cancelled. */
  done(): void;
  /** The one value of what turned out to be no stream; undefined for none. */
  single(value: unknown): void;
  fail(exception: unknown): void;
  /** What the application threw when it was told that nobody reads on. */
  endingFailed(exception: unknown): void;
}

/** Pours an {@link AnswerStream} into replies: exactly one of `done`, `single` and `fail` comes last. */
export class StreamReply {
  readonly #subscription = new Subscription();
  #last: unknown;
  #finished = false;

  constructor(
    private readonly answer: AnswerStream,
    private readonly sink: StreamReplySink,
  ) {}

  start(): void {
    if (this.#finished) return;
    try {
      this.#subscription.add(
        this.answer.values.subscribe({
          next: (value) => this.#next(value),
          error: (exception: unknown) => this.fail(exception),
          complete: () => this.#finish(() => this.#complete()),
        }),
      );
    } catch (exception) {
      this.fail(exception); // an observable of another make
    }
  }

  /** Ends it with `done`. */
  cancel(): void {
    this.#finish(() => this.sink.done());
  }

  /** Ends it with an error. */
  fail(exception: unknown): void {
    this.#finish(() => this.sink.fail(exception));
  }

  #next(value: unknown): void {
    if (this.#finished) return;
    if (!this.answer.isStream) {
      this.#last = value;
      return;
    }
    try {
      this.sink.next(value);
    } catch (exception) {
      this.fail(exception);
    }
  }

  #complete(): void {
    if (this.answer.isStream) this.sink.done();
    else this.sink.single(this.#last);
  }

  #finish(last: () => void): void {
    if (this.#finished) return;
    this.#finished = true;
    try {
      this.#subscription.unsubscribe();
    } catch (exception) {
      this.sink.endingFailed(exception);
    }
    last();
  }
}
