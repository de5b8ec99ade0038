import { Inject, Injectable } from '@nestjs/common';
import { WsError } from '../errors/ws.error.js';
import type { ClientEntry } from '../ws-client/client-entry.js';
import { MemoryRateStore } from './memory.rate-store.js';
import { PXL_WS_RATE_STORE, type WsRate, type RateStore } from './rate-store.interface.js';
import { RefusalCounters } from './refusal-counters.js';

/**
 * Bounds how often routes with `@WsRateLimit` are used: by each user, over its connections to all workers, and by each
 * anonymous connection.
 */
@Injectable()
export class RouteRates {
  constructor(
    private readonly counters: RefusalCounters,
    private readonly memory: MemoryRateStore,
    @Inject(PXL_WS_RATE_STORE) private readonly store: RateStore,
  ) {}

  /**
   * Counts one use of a route.
   *
   * @returns undefined when the use is allowed at once, otherwise a promise of the answer
   * @throws WsError RATE_LIMITED with `details.retryAfter`
   */
  use(
    { user, clientId }: Pick<ClientEntry, 'user' | 'clientId'>,
    route: string,
    rate: WsRate,
  ): Promise<void> | undefined {
    const retryAfter = user
      ? this.store.use(`${route} user ${user.userId}`, rate)
      : this.memory.use(`${route} client ${clientId}`, rate);
    if (typeof retryAfter !== 'number') return retryAfter.then((later) => this.#refuse(later));
    this.#refuse(retryAfter);
    return undefined;
  }

  #refuse(retryAfter: number): void {
    if (retryAfter === 0) return;
    this.counters.count('routes');
    throw new WsError('RATE_LIMITED', 'Too many messages of this kind.', { details: { retryAfter } });
  }
}
