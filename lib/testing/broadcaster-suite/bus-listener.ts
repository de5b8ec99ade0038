import assert from 'node:assert/strict';
import type { Broadcaster } from '../../cluster/bus/broadcaster.interface.js';
import type { WsContent, WsReceivedEnvelope, WsTarget } from '../../cluster/bus/envelope.js';
import { eventually } from '../eventually.js';
import type { BusWorker, TestedBus } from './tested-bus.js';

const FENCE = '"fence"';

/** How long a test waits for what has to arrive, ms. */
const PATIENCE = 5_000;

/** A worker that has started, and keeps what it hears. */
export class BusListener {
  readonly heard: WsReceivedEnvelope[] = [];
  readonly #waiting = new Set<() => void>();

  private constructor(
    readonly worker: BusWorker,
    private readonly bus: TestedBus,
    /** Those on the same bus, itself among them. */
    readonly all: BusListener[],
  ) {}

  /** @param all those on the same bus; it becomes one of them */
  static async join(bus: TestedBus, all: BusListener[]): Promise<BusListener> {
    const listener = new BusListener(await bus.join(), bus, all);
    all.push(listener);
    await listener.broadcaster.start((envelope) => listener.#hear(envelope));
    // On a busy machine it may start before that.
    await eventually('the worker is ready', () => listener.broadcaster.isReady);
    return listener;
  }

  /** Stops the worker, which is none of those on the bus from now on. */
  async leave(): Promise<void> {
    this.all.splice(this.all.indexOf(this), 1);
    await this.broadcaster.stop();
  }

  get broadcaster(): Broadcaster {
    return this.worker.broadcaster;
  }

  get workerId(): string {
    return this.worker.workerId;
  }

  /** An id such as this worker's clients have. */
  get clientId(): string {
    return `${this.workerId}.${'a'.repeat(16)}`;
  }

  /** Publishes a message, or other content. */
  publish(target: WsTarget, content: Partial<WsContent> = {}): Promise<void> {
    const whole = { kind: 'message', text: '"news"', ...content } as const;
    return this.broadcaster.publish({ target, exclude: [], isVolatile: false, content: whole });
  }

  /** Resolves once it has heard so many envelopes. */
  hears(count: number): Promise<void> {
    return this.#until(`${count} envelopes`, () => this.heard.length >= count);
  }

  /**
   * Fails unless the receivers, and nobody else on the bus, have heard one envelope since the last time. One more, which
   * comes behind it to all others, shows that nothing else of this worker is on its way.
   */
  async expectHeardBy(...receivers: BusListener[]): Promise<void> {
    // Where rooms have ways of their own, the last one may be the quicker.
    await Promise.all(receivers.map((receiver) => receiver.hears(1)));
    await this.#fence();
    for (const listener of this.all) {
      const count = listener.#take();
      if (receivers.includes(listener)) assert.equal(count, 1);
      else if (this.bus.mayHearMore) assert.ok(count <= 1);
      else assert.equal(count, 0);
    }
  }

  /** Whether another worker still hears what is for the target. */
  async isHeardBy(receiver: BusListener, target: WsTarget): Promise<boolean> {
    await this.publish(target);
    await this.#fence();
    return receiver.#take() > 0;
  }

  /** Forgets what it has heard, and tells how much that was. */
  #take(): number {
    return this.heard.splice(0).filter((envelope) => !isFence(envelope)).length;
  }

  async #fence(): Promise<void> {
    await this.publish({ kind: 'everybody' }, { text: FENCE });
    const others = this.all.filter((listener) => listener !== this);
    await Promise.all(others.map((other) => other.#until('what was sent last', () => other.heard.some(isFence))));
  }

  #hear(envelope: WsReceivedEnvelope): void {
    this.heard.push(envelope);
    for (const look of [...this.#waiting]) look();
  }

  #until(what: string, isHeard: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      const look = (): void => {
        if (!isHeard()) return;
        stop();
        resolve();
      };
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`A worker did not hear ${what}; it heard ${this.heard.length}.`));
      }, PATIENCE);
      this.#waiting.add(look);
      look();
    });
  }
}

function isFence({ content }: WsReceivedEnvelope): boolean {
  return content.text === FENCE;
}
