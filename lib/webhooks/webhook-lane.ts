import { ModuleLogger } from '../errors/module-logger.js';
import type { ResolvedWebhooks } from '../options/observability/webhooks.options.js';
import type { Runtime, RuntimeTimer } from '../runtime/runtime.js';
import { waitAfter } from './webhook-failure.js';
import type { WebhookMessage } from './webhook-message.js';
import type { WebhookReceiver } from './webhook-receiver.js';

/** An event that has not reached its receiver. */
interface Held {
  readonly message: WebhookMessage;
  /** How many have failed. */
  attempts: number;
  isUnderWay: boolean;
  /** Until its next attempt. */
  timer: RuntimeTimer | null;
}

/**
 * The events that wait in memory for one receiver: bounded, some of them sent at once, each tried again by itself. What one
 * receiver does holds up no other.
 */
export class WebhookLane {
  readonly #logger = new ModuleLogger();
  /** All, the oldest first. */
  readonly #held = new Set<Held>();
  /** Those that wait for their turn. */
  readonly #ready = new Set<Held>();
  #running = 0;
  #isFull = false;
  #isStopping = false;
  #isStopped = false;
  #emptied: (() => void) | null = null;

  /** @param send takes an event to where it is safe; rejects when that has failed */
  constructor(
    private readonly receiver: WebhookReceiver,
    private readonly send: (message: WebhookMessage) => Promise<void>,
    private readonly settings: ResolvedWebhooks,
    private readonly runtime: Runtime,
  ) {}

  get size(): number {
    return this.#held.size;
  }

  add(message: WebhookMessage): void {
    const { receiver } = this;
    if (receiver.isGone || this.#isStopped) {
      receiver.drop(receiver.isGone ? 'gone' : 'shutdown');
      return;
    }
    if (this.#held.size >= this.settings.limit) this.#dropOldest();
    const held: Held = { message, attempts: 0, isUnderWay: false, timer: null };
    this.#held.add(held);
    this.#ready.add(held);
    this.#sendNext();
  }

  /** Tries everything that waits once more; resolves when that is done, and after `ms` at the latest. */
  async stop(ms: number): Promise<void> {
    this.#isStopping = true;
    for (const held of this.#held) if (!held.isUnderWay) this.#isReady(held);
    this.#sendNext();
    const emptied = new Promise<void>((resolve) => (this.#emptied = resolve));
    if (this.#running > 0) await this.runtime.waitFor(ms, emptied, () => new Error('late')).catch(() => undefined);
    this.#isStopped = true;
    if (this.#held.size === 0) return;
    const left = `${this.#held.size} events had not reached ${this.receiver.name}`;
    this.#logger.warn(`When the application stopped, ${left}, and no webhook will tell of them.`);
    this.receiver.drop('shutdown', this.#held.size);
    this.#held.clear();
    this.#ready.clear();
    this.receiver.abort();
  }

  #sendNext(): void {
    for (const held of this.#ready) {
      if (this.#running >= this.settings.concurrency) return;
      this.#ready.delete(held);
      this.#running++;
      held.isUnderWay = true;
      void this.#try(held);
    }
    if (this.#running === 0) this.#emptied?.();
  }

  async #try(held: Held): Promise<void> {
    try {
      await this.send(held.message);
      this.#held.delete(held);
    } catch (failure) {
      held.attempts++;
      held.isUnderWay = false;
      if (!this.#isStopped) this.#failed(held, failure);
    }
    this.#running--;
    if (this.#held.size === 0) this.#isFull = false;
    if (!this.#isStopped) this.#sendNext();
  }

  #failed(held: Held, failure: unknown): void {
    const { receiver, settings, runtime } = this;
    if (receiver.isGone) {
      for (const other of this.#held) if (!other.isUnderWay) this.#drop(other, 'gone');
    } else if (held.attempts >= settings.attempts) {
      this.#held.delete(held);
      receiver.giveUp(held.message, failure);
    } else if (!this.#isStopping) {
      const wait = waitAfter(failure, held.attempts, settings, runtime.random());
      held.timer = runtime.timeout(wait, () => {
        this.#isReady(held);
        this.#sendNext();
      });
    }
  }

  #isReady(held: Held): void {
    held.timer?.cancel();
    held.timer = null;
    this.#ready.add(held);
  }

  /** One that is under way is not the oldest that can be dropped: it may have arrived. */
  #dropOldest(): void {
    if (!this.#isFull) {
      const { limit } = this.settings;
      this.#logger.warn(`Over ${limit} events wait for ${this.receiver.name}: the oldest are dropped.`);
    }
    this.#isFull = true;
    for (const held of this.#held) {
      if (held.isUnderWay) continue;
      this.#drop(held, 'full');
      return;
    }
  }

  #drop(held: Held, reason: 'full' | 'gone'): void {
    held.timer?.cancel();
    this.#held.delete(held);
    this.#ready.delete(held);
    this.receiver.drop(reason);
  }
}
