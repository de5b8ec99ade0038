import type { BenchOptions } from '../options/bench-options.js';
import type { MachineClock } from './machine-clock.js';
import type { Stream, Streams } from '../clients/streams.js';

/**
 * Calls for each message at the moment for which it was planned, whatever has become of those before: a server that is slow is sent
 * as much as a quick one, so what waits for it is measured too. A timer fires up to about a millisecond late, and a busy process
 * later; what is due by then is sent at once.
 */
export class SendSchedule {
  /** How many messages of each stream have had their turn. */
  readonly turns = new Map<number, number>();
  readonly #streams: readonly Stream[];
  #at = 0;
  #timer: NodeJS.Timeout | undefined;
  #end = Infinity;
  #onEnd: () => void = () => {};

  /** @param own the streams of this process */
  constructor(
    own: readonly Stream[],
    private readonly streams: Streams,
    private readonly options: BenchOptions,
    private readonly clock: MachineClock,
    private readonly send: (stream: Stream, number: number, due: number) => void,
  ) {
    // Within each period every stream has one turn, and the next period has the same order.
    this.#streams = own.toSorted((one, other) => one.offset - other.offset);
  }

  /** Resolves when the duration is over, or it was stopped. */
  run(startAt: number): Promise<void> {
    return new Promise((resolve) => {
      this.#onEnd = resolve;
      this.#end = Math.min(this.#end, startAt + this.options.duration);
      this.#tick(startAt);
    });
  }

  stop(): void {
    this.#end = -Infinity;
    clearTimeout(this.#timer);
    this.#onEnd();
  }

  #tick(startAt: number): void {
    const now = this.clock.now();
    let next = this.#next(startAt);
    while (next.due <= now && next.due < this.#end) {
      if (next.stream) this.send(next.stream, next.number, next.due);
      if (next.stream) this.turns.set(next.stream.index, next.number + 1);
      this.#at++;
      next = this.#next(startAt);
    }
    if (now >= this.#end) this.#onEnd();
    else this.#timer = setTimeout(() => this.#tick(startAt), Math.floor(Math.min(next.due, this.#end) - now));
  }

  #next(startAt: number): { stream: Stream | undefined; number: number; due: number } {
    const count = this.#streams.length;
    const stream = this.#streams[this.#at % count];
    const number = Math.floor(this.#at / count);
    return { stream, number, due: stream ? startAt + this.streams.dueAt(stream, number) : Infinity };
  }
}
