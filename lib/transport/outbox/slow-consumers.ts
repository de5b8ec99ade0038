import { Inject, Injectable } from '@nestjs/common';
import { CLOSE_CODES } from '../../protocol/close-codes.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { closeOrCut, type ClosableSocket } from '../../runtime/close-or-cut.js';
import { Runtime, type RuntimeTimer } from '../../runtime/runtime.js';
import { OPEN } from '../../runtime/socket-state.js';

/** How often sockets over their budget are looked at. */
const ROUND = 500;
/** Over this many budgets a socket gets no time at all. */
const AT_ONCE = 8;

/** A socket with bytes waiting for it, as its budget sees it. */
export interface BudgetedSocket {
  readonly ws: ClosableSocket & { readonly readyState: number };
  /** Bytes that wait, in the outbox and in the network socket, which counts a write until its last byte is out. */
  readonly bufferedAmount: number;
  /** Those of them that have not left yet. */
  readonly unsentBytes: number;
  /** Rises with every byte that leaves. */
  readonly sentBytes: number;
  /** It is over its budget; or, with `false`, no longer. */
  setOverBudget(isOver: boolean): void;
  /** From now on, until it is back under its budget, new frames are dropped. */
  startDropping(): void;
}

/** How often each policy has struck since the start of the process. */
export interface WsSlowConsumerCounts {
  /** Connections closed with 4008. */
  disconnected: number;
  /** Frames not sent, the newest ones first. */
  dropped: number;
  /** Volatile frames not sent, the oldest ones first. */
  droppedOldest: number;
}

/** A socket over its budget, when it was looked at. */
interface Look {
  sent: number;
  /** Since when nothing has left. */
  since: number;
}

/**
 * The byte budget of sockets (`limits.maxBufferedBytes`): who is over it and takes nothing for `slowConsumerGrace`, or is
 * over it eightfold, meets `limits.slowConsumer`. What drains, however slowly, is no offence. With `dropOldest` a socket over its
 * budget is sent volatile frames later or never, and is closed only when other frames make it eightfold.
 */
@Injectable()
export class SlowConsumers {
  readonly counts: WsSlowConsumerCounts = { disconnected: 0, dropped: 0, droppedOldest: 0 };
  /** Bytes that may wait for one socket. */
  readonly budget: number;
  readonly policy: ResolvedOptions['limits']['slowConsumer'];
  readonly #grace: number;
  readonly #over = new Map<BudgetedSocket, Look>();
  #timer: RuntimeTimer | null = null;

  constructor(
    private readonly runtime: Runtime,
    @Inject(PXL_WS_OPTIONS) { limits }: ResolvedOptions,
  ) {
    this.budget = limits.maxBufferedBytes === false ? Infinity : limits.maxBufferedBytes;
    this.policy = limits.slowConsumer;
    this.#grace = limits.slowConsumerGrace;
  }

  /** How many sockets are over their budget. */
  get size(): number {
    return this.#over.size;
  }

  /** Called with a socket whose `bufferedAmount` is over its budget, at every frame. */
  check(socket: BudgetedSocket): void {
    if (!this.#over.has(socket)) {
      if (socket.unsentBytes <= this.budget) return;
      this.#over.set(socket, { sent: socket.sentBytes, since: this.runtime.monotonic() });
      socket.setOverBudget(true);
      this.#schedule();
    }
    const most = AT_ONCE * this.budget;
    if (socket.bufferedAmount > most && socket.unsentBytes > most) this.#strike(socket);
  }

  /** The socket has drained, or is closed. */
  relieve(socket: BudgetedSocket): void {
    if (!this.#over.delete(socket)) return;
    socket.setOverBudget(false);
  }

  #schedule(): void {
    this.#timer ??= this.runtime.fairTimeout(ROUND, (wasStalled) => this.#round(wasStalled));
  }

  #round(wasStalled: boolean): void {
    this.#timer = null;
    const now = this.runtime.monotonic();
    for (const [socket, look] of this.#over) {
      const sent = socket.sentBytes;
      if (socket.ws.readyState !== OPEN || socket.unsentBytes <= this.budget) {
        this.relieve(socket);
      } else if (wasStalled || sent > look.sent) {
        look.since = now;
      } else if (now - look.since >= this.#grace && this.policy !== 'dropOldest') {
        this.#strike(socket);
      }
      look.sent = sent; // it falls where a runtime shows no more than what waits, and more was sent
    }
    if (this.#over.size > 0) this.#schedule();
  }

  #strike(socket: BudgetedSocket): void {
    if (socket.ws.readyState !== OPEN) return;
    if (this.policy === 'drop') {
      socket.startDropping();
      return;
    }
    this.counts.disconnected++;
    this.#over.delete(socket);
    closeOrCut(socket.ws, CLOSE_CODES.TOO_SLOW, this.runtime);
  }
}
