import { Injectable } from '@nestjs/common';
import { counter, gauge, type MetricSource, type WebSocketMetric } from '../../runtime/metrics/metrics.js';
import { Runtime } from '../../runtime/runtime.js';
import { DeliveryWindow, type WindowedOutbox, type WindowTerms } from './delivery-window.js';
import { WindowGrowth } from './window-growth.js';
import { PendingFrames } from './pending-frames.js';
import type { SharedFrame } from '../../clients/session/client-outbox.interface.js';

/** An outbox with frames that leave at the end of this turn of the event loop. */
export interface Flushable {
  flush(): void;
}

/**
 * Collects the outboxes that have something to write and flushes each once per turn of the event loop, after the turn's
 * I/O: however many messages a turn sends to a client, they cost one system call. Behind such a write a window may follow, in
 * which further frames wait.
 */
@Injectable()
export class OutboxScheduler implements MetricSource {
  /** How many messages were written. */
  sent = 0;
  /** How many frames have given way to a newer one with the same key. */
  conflated = 0;
  #due: Flushable[] = [];
  /** Whether the end of this turn is awaited. */
  #isEnding = false;
  #firstFrames = new Map<SharedFrame, PendingFrames>();
  /** The windows that this turn opens. */
  #opened: DeliveryWindow[] = [];
  readonly #growth = new WindowGrowth();

  constructor(private readonly runtime: Runtime) {}

  /** The chain that begins with `frame`; every socket gets the same one within a turn. */
  beginChain(frame: SharedFrame, conflate?: string): PendingFrames {
    let chain = this.#firstFrames.get(frame);
    // Sent to two rooms, a frame has a key in each.
    if (!chain || chain.conflate !== conflate) {
      this.#firstFrames.set(frame, (chain = new PendingFrames(null, frame, conflate)));
      this.#endTurn(); // also where the frame waits in a window, and nothing else happens in this turn
    }
    return chain;
  }

  /** Flushes an outbox at the end of this turn. */
  schedule(outbox: Flushable): void {
    this.#due.push(outbox);
    this.#endTurn();
  }

  /** Opens a window for an outbox that is being flushed; it begins when all outboxes of this turn are. */
  openWindow(outbox: WindowedOutbox, { window, maxWindow }: WindowTerms): DeliveryWindow {
    let opened = this.#opened.find((other) => other.window === window && other.maxWindow === maxWindow);
    if (!opened) this.#opened.push((opened = new DeliveryWindow(window, maxWindow, this.#growth, this.runtime)));
    opened.add(outbox);
    return opened;
  }

  *metrics(): Iterable<WebSocketMetric> {
    yield counter('messages_sent', this.sent);
    yield counter('messages_conflated', this.conflated);
    yield gauge('delivery_window_growth', this.#growth.factor);
  }

  #endTurn(): void {
    if (this.#isEnding) return;
    this.#isEnding = true;
    setImmediate(this.#flushAll);
  }

  readonly #flushAll = (): void => {
    this.#isEnding = false;
    const outboxes = this.#due;
    this.#due = [];
    this.#firstFrames.clear();
    for (const outbox of outboxes) outbox.flush();
    const windows = this.#opened;
    if (windows.length === 0) return;
    this.#opened = [];
    for (const window of windows) window.begin();
  };
}
