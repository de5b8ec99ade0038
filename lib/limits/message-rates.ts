import { Inject, Injectable } from '@nestjs/common';
import type { WsClient } from '../clients/ws-client.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { Runtime } from '../runtime/runtime.js';
import { RefusalCounters } from './refusal-counters.js';
import { TokenBucket } from './token-bucket.js';

/** What becomes of a message: it is handled, refused, or the last one of its connection. */
export type RateVerdict =
  { readonly kind: 'allowed' | 'flooding' } | { readonly kind: 'refused'; readonly retryAfter: number };

const ALLOWED: RateVerdict = { kind: 'allowed' };
const FLOODING: RateVerdict = { kind: 'flooding' };

/**
 * How many messages each connection may send: `limits.messagesPerSecond` with `limits.burst`. As much again is refused
 * with an error; who goes on beyond that is disconnected. Per connection, since it protects this process.
 */
@Injectable()
export class MessageRates {
  readonly #buckets = new WeakMap<WsClient, { readonly handled: TokenBucket; readonly refused: TokenBucket }>();

  constructor(
    private readonly runtime: Runtime,
    private readonly counters: RefusalCounters,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Counts one message of a client. */
  count(client: WsClient): RateVerdict {
    const { messagesPerSecond: rate, burst } = client.options.limits;
    if (rate === false) return ALLOWED;
    const now = this.runtime.monotonic();
    let buckets = this.#buckets.get(client);
    if (!buckets) {
      buckets = { handled: new TokenBucket(rate, burst, now), refused: new TokenBucket(rate, burst, now) };
      this.#buckets.set(client, buckets);
    }
    const retryAfter = buckets.handled.take(now);
    if (retryAfter === 0) return ALLOWED;
    this.counters.count('messagesPerSecond');
    return buckets.refused.take(now) === 0 ? { kind: 'refused', retryAfter } : FLOODING;
  }
}
