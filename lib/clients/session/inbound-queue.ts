import { AsyncResource } from 'node:async_hooks';
import type { InboundMessage } from '../../protocol/messages.js';

/** Whose messages they are. */
export interface InboundOwner {
  /** Whether a running handler waits for what its client sends. */
  readonly awaitsAnswer: boolean;
  /** The queue is full. */
  holdReading(): void;
  /** Half of the queue is free again. */
  releaseReading(): void;
}

/** Starts one message. Undefined when it has finished already, else a promise that settles and never rejects. */
interface Dispatcher<Owner> {
  dispatch(owner: Owner, message: InboundMessage, arrivedAt?: number): Promise<void> | undefined;
}

function dispatch<Owner>(
  dispatcher: Dispatcher<Owner>,
  owner: Owner,
  message: InboundMessage,
  arrivedAt: number | undefined,
): Promise<void> | undefined {
  return dispatcher.dispatch(owner, message, arrivedAt);
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

/** How many times longer the queue may grow while a handler waits for what stands behind it. */
const GROWTH = 32;

/**
 * A client's messages, in order: at most `concurrency` of them run, the others wait, and a full queue stops the reading of
 * the socket. Each message runs in an async scope of its own, made when it arrived: what a guard sets with
 * `AsyncLocalStorage.enterWith` is seen by its handler and by no other message.
 */
export class InboundQueue<Owner extends InboundOwner> {
  #waiting: Waiting[] = [];
  #running = 0;
  #started = 0;
  #full = false;
  #onIdle: (() => void)[] = [];

  /** @param released false: messages wait until `release`, since a connection's hooks come before its first message */
  constructor(
    private readonly limits: InboundLimits,
    private readonly owner: Owner,
    private readonly dispatcher: Dispatcher<Owner>,
    private released: boolean,
  ) {}

  /** How many messages have begun to be handled so far. */
  get started(): number {
    return this.#started;
  }

  /** How many messages wait for their turn. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Whether nothing runs and nothing waits. */
  get isIdle(): boolean {
    return this.#running === 0 && this.#waiting.length === 0;
  }

  /** Starts the message, or lets it wait for its turn. @param arrivedAt just now, as `SessionDispatcher.dispatch` takes it */
  push(message: InboundMessage, arrivedAt?: number): void {
    const scope = new AsyncResource('WsMessage', { requireManualDestroy: true });
    if (this.released && this.#running < this.limits.concurrency && this.#waiting.length === 0) {
      this.#start(message, scope, arrivedAt);
      return;
    }
    this.#waiting.push({ message, scope });
    this.adjust();
  }

  /** Holds or releases the reading of the socket, by how many messages wait now. */
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

  /** Takes out the messages that wait; those that run go on. */
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

  #start(message: InboundMessage, scope: AsyncResource, arrivedAt?: number): void {
    this.#running++;
    this.#started++;
    const { dispatcher, owner } = this;
    const finished = scope.runInAsyncScope(dispatch<Owner>, undefined, dispatcher, owner, message, arrivedAt);
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
    if (full) this.owner.holdReading();
    else this.owner.releaseReading();
  }
}
