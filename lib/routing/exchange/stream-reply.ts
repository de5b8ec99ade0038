import { Subscription } from 'rxjs';
import type { AnswerStream } from './answer-stream.js';

/** Receives the values of an {@link AnswerStream} and its end. */
export interface StreamReplySink {
  /** A value of a stream. */
  next(value: unknown): void;
  /** The stream has ended by itself, or was cancelled. */
  done(): void;
  /** The only value of an answer that is not a stream; undefined when there is none. */
  single(value: unknown): void;
  fail(exception: unknown): void;
  /** The application has thrown when its stream was unsubscribed. */
  endingFailed(exception: unknown): void;
}

/** Hands the values of an {@link AnswerStream} to a sink: exactly one of `done`, `single` and `fail` comes last. */
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
      this.fail(exception); // an Observable of another library may throw here
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
