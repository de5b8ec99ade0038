import { Injectable } from '@nestjs/common';
import { counter, gauge, type MetricSource, type WebSocketMetric } from '../../runtime/metrics.js';
import { Runtime } from '../../runtime/runtime.js';
import { DeliveryWindow, type WindowedOutbox, type WindowTerms } from './delivery-window.js';
import { PendingFrames } from './pending-frames.js';
import type { SharedFrame } from '../../clients/session/client-outbox.interface.js';

/** An outbox with frames that leave at the end of this turn of the event loop. */
export interface Flushable {
  flush(): void;
}

/** The share of a window from which on its writes, or its delay, say that this process does not keep up. */
const BUSY = 0.5;
/** The share below which it has time to spare. */
const IDLE = 0.125;
/** Milliseconds by which timers are late without anything being the matter. */
const TIMER_GRAIN = 1;

/**
 * Collects the outboxes that have something to write and flushes each once per turn of the event loop, after the turn's
 * I/O: however many messages a turn sends to a client, they cost one system call. Behind such a write a window may follow, in
 * which further frames wait. While this process does not keep up, windows take twice as long, and twice that, up to their bound.
 */
@Injectable()
export class OutboxScheduler implements MetricSource {
  /** How many frames have given way to a newer one with the same key. */
  conflated = 0;
  #due: Flushable[] = [];
  #firstFrames = new Map<SharedFrame, PendingFrames>();
  /** The windows that this turn opens. */
  #opened: DeliveryWindow[] = [];
  #growth = 1;
  /** By how many ms the windows have ended late since the last turn that opened one. */
  #late = 0;

  constructor(private readonly runtime: Runtime) {}

  /** The chain that begins with `frame`; every socket gets the same one within a turn. */
  beginChain(frame: SharedFrame, conflate?: string): PendingFrames {
    let chain = this.#firstFrames.get(frame);
    // Sent to two rooms, a frame has a key in each.
    if (!chain || chain.conflate !== conflate) {
      this.#firstFrames.set(frame, (chain = new PendingFrames(null, frame, conflate)));
    }
    return chain;
  }

  /** Flushes an outbox at the end of this turn. */
  schedule(outbox: Flushable): void {
    if (this.#due.push(outbox) === 1) setImmediate(this.#flushAll);
  }

  /** Opens a window for an outbox that is being flushed; it begins when all outboxes of this turn are. */
  openWindow(outbox: WindowedOutbox, { window, maxWindow }: WindowTerms): DeliveryWindow {
    let opened = this.#opened.find((other) => other.window === window && other.maxWindow === maxWindow);
    if (!opened) this.#opened.push((opened = new DeliveryWindow(window, maxWindow, this.runtime, this.#windowEnded)));
    opened.add(outbox);
    return opened;
  }

  *metrics(): Iterable<WebSocketMetric> {
    yield counter('messages_conflated', this.conflated);
    yield gauge('delivery_window_growth', this.#growth);
  }

  readonly #flushAll = (): void => {
    const outboxes = this.#due;
    this.#due = [];
    this.#firstFrames.clear();
    const before = this.runtime.monotonic();
    for (const outbox of outboxes) outbox.flush();
    if (this.#opened.length > 0) this.#beginWindows(this.runtime.monotonic() - before);
  };

  /** @param spent milliseconds that the writes of this turn took */
  #beginWindows(spent: number): void {
    const windows = this.#opened;
    this.#opened = [];
    const lost = spent + this.#late;
    this.#late = 0;
    const shortest = Math.min(...windows.map(({ window }) => window));
    const mostGrowth = Math.max(1, ...windows.map(({ window, maxWindow }) => maxWindow / window));
    this.#growth = Math.min(this.#grown(lost, shortest * this.#growth), mostGrowth);
    for (const window of windows) window.begin(this.#growth);
  }

  /** @param lost milliseconds of a window of `duration` in which this process was busy with sending, or with something else */
  #grown(lost: number, duration: number): number {
    if (lost > duration * BUSY) return this.#growth * 2;
    return lost < duration * IDLE ? Math.max(1, this.#growth / 2) : this.#growth;
  }

  readonly #windowEnded = (late: number): void => {
    this.#late = Math.max(this.#late, late - TIMER_GRAIN);
  };
}
