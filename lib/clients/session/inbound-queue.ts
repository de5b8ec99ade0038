import { AsyncResource } from 'node:async_hooks';
import type { InboundMessage } from '../../protocol/messages.js';

/** Whose messages they are. */
export interface InboundOwner {
  /** Starts one message. Undefined when it has finished already, else a promise that settles and never rejects. */
  run(message: InboundMessage): Promise<void> | undefined;
  /** Whether a running handler waits for what its client sends. */
  readonly awaitsAnswer: boolean;
  /** Called with false when the queue is full, and with true once half of it is free again. */
  setReading(reading: boolean): void;
}

/** How many times longer the queue may grow while a handler waits for what stands behind it. */
const GROWTH = 32;

function start(owner: InboundOwner, message: InboundMessage): Promise<void> | undefined {
  return owner.run(message);
}

/** How many messages of one client run at once, and how many may wait. */
export interface InboundLimits {
  readonly concurrency: number;
  readonly queue: number;
}

interface Waiting {
  readonly message: InboundMessage;
  readonly scope: AsyncResource;
}

/**
 * A client's messages, in order: at most `concurrency` of them run, the others wait, and a full queue asks for a pause.
 * Each message runs in an async scope of its own, made when it arrived: what a guard sets with
 * `AsyncLocalStorage.enterWith` is seen by its handler and by no other message.
 */
export class InboundQueue {
  #waiting: Waiting[] = [];
  #running = 0;
  #started = 0;
  #full = false;
  #onIdle: (() => void)[] = [];

  /** @param released false: messages wait until `release`, since a connection's hooks come before its first message */
  constructor(
    private readonly limits: InboundLimits,
    private readonly owner: InboundOwner,
    private released: boolean,
  ) {}

  /** How many messages have begun to be handled so far. */
  get started(): number {
    return this.#started;
  }

  /** Whether nothing runs and nothing waits. */
  get isIdle(): boolean {
    return this.#running === 0 && this.#waiting.length === 0;
  }

  /** Starts the message, or lets it wait for its turn. */
  push(message: InboundMessage): void {
    const scope = new AsyncResource('WsMessage', { requireManualDestroy: true });
    if (this.released && this.#running < this.limits.concurrency && this.#waiting.length === 0) {
      this.#start(message, scope);
      return;
    }
    this.#waiting.push({ message, scope });
    this.adjust();
  }

  /** Asks for a pause, or for its end, by what waits now. */
  adjust(): void {
    const { queue } = this.limits;
    const [full, free] = this.owner.awaitsAnswer ? [queue * GROWTH, queue * GROWTH - 1] : [queue, queue >> 1];
    const waiting = this.#waiting.length;
    if (waiting >= full) this.#setFull(true);
    else if (waiting <= free) this.#setFull(false);
  }

  /** Lets the messages run. */
  release(): void {
    this.released = true;
    this.#next();
  }

  /** Takes what waits out of the queue; what runs goes on. */
  clear(): InboundMessage[] {
    const messages = this.#waiting.map(({ message }) => message);
    this.#waiting = [];
    this.#setFull(false);
    this.#tellIdle();
    return messages;
  }

  /** Resolves once nothing runs and nothing waits. */
  whenIdle(): Promise<void> {
    return this.isIdle ? Promise.resolve() : new Promise((resolve) => this.#onIdle.push(resolve));
  }

  #start(message: InboundMessage, scope: AsyncResource): void {
    this.#running++;
    this.#started++;
    const finished = scope.runInAsyncScope(start, undefined, this.owner, message);
    if (finished) {
      void finished.then(this.#finished);
    } else {
      this.#running--;
      this.#tellIdle();
    }
  }

  readonly #finished = (): void => {
    this.#running--;
    this.#next();
  };

  #next(): void {
    while (this.released && this.#running < this.limits.concurrency) {
      const next = this.#waiting.shift();
      if (!next) break;
      if (this.#full) this.adjust();
      this.#start(next.message, next.scope);
    }
    this.#tellIdle();
  }

  #tellIdle(): void {
    if (this.#onIdle.length === 0 || !this.isIdle) return;
    for (const resolve of this.#onIdle.splice(0)) resolve();
  }

  #setFull(full: boolean): void {
    if (this.#full === full) return;
    this.#full = full;
    this.owner.setReading(!full);
  }
}
