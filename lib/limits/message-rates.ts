import { Inject, Injectable } from '@nestjs/common';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { Runtime } from '../runtime/runtime.js';
import { RefusalCounters } from './refusal-counters.js';
import { TokenBucket } from './token-bucket.js';

/** A connection: its endpoint's options say how much it may send. */
interface RatedConnection {
  readonly options: ResolvedOptions;
}

/** Whether a message is handled, refused, or ends its connection. */
export type RateVerdict =
  { readonly kind: 'allowed' | 'flooding' } | { readonly kind: 'refused'; readonly retryAfter: number };

const ALLOWED: RateVerdict = { kind: 'allowed' };
const FLOODING: RateVerdict = { kind: 'flooding' };

/**
 * Bounds how many messages each connection sends: `limits.messagesPerSecond` with `limits.burst`. As many again are
 * refused with an error; a client that sends still more is disconnected. It counts connections, not users, since it
 * protects this process.
 */
@Injectable()
export class MessageRates {
  readonly #buckets = new WeakMap<RatedConnection, { readonly handled: TokenBucket; readonly refused: TokenBucket }>();

  constructor(
    private readonly runtime: Runtime,
    private readonly counters: RefusalCounters,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Counts one message of a connection. */
  count(connection: RatedConnection): RateVerdict {
    const { messagesPerSecond: rate, burst } = connection.options.limits;
    if (rate === false) return ALLOWED;
    const now = this.runtime.monotonic();
    let buckets = this.#buckets.get(connection);
    if (!buckets) {
      buckets = { handled: new TokenBucket(rate, burst, now), refused: new TokenBucket(rate, burst, now) };
      this.#buckets.set(connection, buckets);
    }
    const retryAfter = buckets.handled.take(now);
    if (retryAfter === 0) return ALLOWED;
    this.counters.count('messagesPerSecond');
    return buckets.refused.take(now) === 0 ? { kind: 'refused', retryAfter } : FLOODING;
  }
}
