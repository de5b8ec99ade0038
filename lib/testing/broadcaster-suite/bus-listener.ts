import { strict as assert } from 'node:assert';
import type { WsBroadcaster } from '../../cluster/bus/broadcaster.interface.js';
import type { WsContent, WsReceivedEnvelope, WsTarget } from '../../cluster/bus/envelope.js';
import { eventually } from '../eventually.js';
import type { BusWorker, TestedBus } from './tested-bus.js';

const FENCE = '"fence"';

/** How long a test waits for an envelope, in ms. */
const PATIENCE = 5_000;

/** A started worker that records the envelopes it receives. */
export class BusListener {
  readonly heard: WsReceivedEnvelope[] = [];
  readonly #waiting = new Set<() => void>();

  private constructor(
    readonly worker: BusWorker,
    private readonly bus: TestedBus,
    /** All workers on the same bus, including this one. */
    readonly all: BusListener[],
  ) {}

  /** @param all the workers on the same bus, to which this one is added */
  static async join(bus: TestedBus, all: BusListener[]): Promise<BusListener> {
    const listener = new BusListener(await bus.join(), bus, all);
    all.push(listener);
    await listener.broadcaster.start((envelope) => listener.#hear(envelope));
    // On a busy machine `start` may resolve before the worker is ready.
    await eventually('the worker is ready', () => listener.broadcaster.isReady);
    return listener;
  }

  /** Stops the worker and removes it from the bus. */
  async leave(): Promise<void> {
    this.all.splice(this.all.indexOf(this), 1);
    await this.broadcaster.stop();
  }

  get broadcaster(): WsBroadcaster {
    return this.worker.broadcaster;
  }

  get workerId(): string {
    return this.worker.workerId;
  }

  /** An id as this worker's clients have it. */
  get clientId(): string {
    return `${this.workerId}.${'a'.repeat(16)}`;
  }

  /** Publishes a message, or other content. */
  publish(target: WsTarget, content: Partial<WsContent> = {}): Promise<void> {
    const whole = { kind: 'message', text: '"news"', ...content } as const;
    return this.broadcaster.publish({ target, exclude: [], isVolatile: false, content: whole });
  }

  /** Resolves when it has received so many envelopes. */
  hears(count: number): Promise<void> {
    return this.#until(`${count} envelopes`, () => this.heard.length >= count);
  }

  /**
   * Fails unless exactly the receivers have received one envelope since the last call. It publishes a second envelope to all
   * others: once that has arrived, nothing else of this worker is on its way.
   */
  async expectHeardBy(...receivers: BusListener[]): Promise<void> {
    // Where rooms have channels of their own, the second envelope may overtake the first one.
    await Promise.all(receivers.map((receiver) => receiver.hears(1)));
    await this.#fence();
    for (const listener of this.all) {
      const count = listener.#take();
      if (receivers.includes(listener)) assert.equal(count, 1);
      else if (this.bus.mayHearMore) assert.ok(count <= 1);
      else assert.equal(count, 0);
    }
  }

  /** Whether another worker still receives what is sent to the target. */
  async isHeardBy(receiver: BusListener, target: WsTarget): Promise<boolean> {
    await this.publish(target);
    await this.#fence();
    return receiver.#take() > 0;
  }

  /** Forgets the received envelopes and returns their number. */
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
