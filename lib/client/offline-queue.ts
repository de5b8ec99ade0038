import type { Asker } from './asker.interface.js';
import type { DroppedMessage } from './client-options.interface.js';
import type { ResolvedClientOptions } from './client-options.js';

/** A message on its way out. */
export interface Outgoing {
  readonly text: string;
  /** As the application gave it. */
  readonly message: unknown;
  readonly isBinary?: boolean;
  /** Of a request: what its answers come under, and who waits for them. Without an id it is answered once it has left. */
  readonly id?: number | string | undefined;
  readonly asker?: Asker;
  /** The library's own word on the connection that there is: it counts, and waits for nothing. */
  readonly isUrgent?: boolean;
  /** Leaves before everything that waits in the queue. */
  readonly isFirst?: boolean;
  /** Means nothing on any later connection. */
  readonly isBound?: boolean;
}

/** Called with a message that will not leave, and why. */
export type OnDropped = (outgoing: Outgoing, reason: DroppedMessage['reason']) => void;

/** What waits for a connection, or for its turn on one, in order, up to a limit. */
export class OfflineQueue {
  readonly #options: ResolvedClientOptions['queue'];
  readonly #drop: OnDropped;
  readonly #waiting = new Set<Outgoing>();

  constructor(options: ResolvedClientOptions['queue'], drop: OnDropped) {
    this.#options = options;
    this.#drop = drop;
  }

  /** Takes a message in. @returns false when it was dropped itself */
  add(outgoing: Outgoing): boolean {
    if (!this.#options) return this.#refuse(outgoing, 'offline');
    const [oldest] = this.#waiting;
    const isFull = this.#waiting.size >= this.#options.limit;
    if (isFull && this.#options.policy === 'dropNewest') return this.#refuse(outgoing, 'overflow');
    this.#waiting.add(outgoing);
    if (isFull && oldest) this.#refuse(oldest, 'overflow');
    return true;
  }

  /** Takes a message out: it leaves, or nobody waits for it any more. @returns whether it was there */
  delete(outgoing: Outgoing): boolean {
    return this.#waiting.delete(outgoing);
  }

  /** What waits now. */
  get all(): Outgoing[] {
    return [...this.#waiting];
  }

  #refuse(outgoing: Outgoing, reason: DroppedMessage['reason']): false {
    this.#waiting.delete(outgoing);
    this.#drop(outgoing, reason);
    return false;
  }
}
