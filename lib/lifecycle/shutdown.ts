import { Inject, Injectable } from '@nestjs/common';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { Runtime } from '../runtime/runtime.js';
import { SubscriberDispatcher } from '../subscribers/subscriber.dispatcher.js';
import { ClusterMembership } from '../server/availability/cluster-membership.js';
import { Drain } from '../server/availability/drain.js';
import { Webhooks } from '../webhooks/webhooks.js';

/** The part of `shutdown.timeout` that subscribers get for their last events when the connections have used all of it. */
const LEAST_FOR_SUBSCRIBERS = 0.1;
/** The same for webhooks. */
const LEAST_FOR_WEBHOOKS = 0.1;
/** The same for plain HTTP requests that are still served. */
const LEAST_FOR_REQUESTS = 0.1;

/** Ends the connections, then the subscribers and the webhooks, who are told of each end. Happens once. */
@Injectable()
export class Shutdown {
  /** When the connections began to be ended; null before. */
  #since: number | null = null;

  constructor(
    private readonly drain: Drain,
    private readonly membership: ClusterMembership,
    private readonly subscribers: SubscriberDispatcher,
    private readonly webhooks: Webhooks,
    private readonly runtime: Runtime,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  /** Waits for `shutdown.delay`; happens once. */
  announce(): Promise<void> {
    return this.drain.announce();
  }

  async run(): Promise<void> {
    await this.announce();
    this.#since ??= this.runtime.monotonic();
    await this.drain.run();
    // Until the events of the last users have come.
    await this.membership.leave();
    await this.subscribers.stop(this.#timeLeft(LEAST_FOR_SUBSCRIBERS));
    await this.webhooks.stop(this.#timeLeft(LEAST_FOR_WEBHOOKS));
  }

  /** How long plain HTTP requests may still be served, in ms. */
  get timeForRequests(): number {
    return this.#timeLeft(LEAST_FOR_REQUESTS);
  }

  #timeLeft(least: number): number {
    const { timeout } = this.options.shutdown;
    const now = this.runtime.monotonic();
    return Math.max(timeout - (now - (this.#since ?? now)), timeout * least);
  }
}
