import { Inject, Injectable } from '@nestjs/common';
import { CLOSE_CODES } from '../../protocol/close-codes.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { closeOrCut, type ClosableSocket } from '../../runtime/close-or-cut.js';
import { Runtime, type RuntimeTimer } from '../../runtime/runtime.js';
import { OPEN } from '../../runtime/socket-state.js';

/** Milliseconds between two looks at the sockets over their budget. */
const ROUND = 500;
/** A socket over this many budgets gets no time at all. */
const AT_ONCE = 8;

/** An outbox, as the byte budget sees it. */
export interface BudgetedOutbox {
  readonly ws: ClosableSocket & { readonly readyState: number };
  /** Bytes that wait in the outbox and in the network socket, which counts a whole write until its last byte has left. */
  readonly bufferedAmount: number;
  /** Those of them that have not left yet. */
  readonly unsentBytes: number;
  /** Rises with every byte that leaves. */
  readonly sentBytes: number;
  /** Tells the outbox that it is over its budget, or no longer. */
  setOverBudget(isOver: boolean): void;
  /** Has the outbox drop every new frame until it is back under its budget. */
  startDropping(): void;
}

/** How often each policy was applied since the start of the process. */
export interface WsSlowConsumerCounts {
  /** Connections closed with 4008. */
  disconnected: number;
  /** Frames that were not sent, because older ones waited. */
  dropped: number;
  /** Volatile frames that waited and gave way to newer ones. */
  droppedOldest: number;
}

/** How far a socket over its budget had come at the last look. */
interface Progress {
  sentBytes: number;
  /** Since when nothing has left. */
  since: number;
}

/**
 * The byte budget of sockets (`limits.maxBufferedBytes`). The policy `limits.slowConsumer` is applied to a socket that is
 * over its budget and takes nothing for `slowConsumerGrace`, or that is over eight budgets; a socket that drains slowly is
 * left alone. With `dropOldest` a socket over its budget gets volatile frames later or never, and is closed only when other
 * frames take it over eight budgets.
 */
@Injectable()
export class SlowConsumers {
  readonly counts: WsSlowConsumerCounts = { disconnected: 0, dropped: 0, droppedOldest: 0 };
  /** Bytes that may wait for one outbox. */
  readonly budget: number;
  readonly policy: ResolvedOptions['limits']['slowConsumer'];
  readonly #grace: number;
  readonly #over = new Map<BudgetedOutbox, Progress>();
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

  /** To be called with an outbox whose `bufferedAmount` is over its budget, at every frame. */
  check(outbox: BudgetedOutbox): void {
    if (!this.#over.has(outbox)) {
      if (outbox.unsentBytes <= this.budget) return;
      this.#over.set(outbox, { sentBytes: outbox.sentBytes, since: this.runtime.monotonic() });
      outbox.setOverBudget(true);
      this.#schedule();
    }
    const most = AT_ONCE * this.budget;
    if (outbox.bufferedAmount > most && outbox.unsentBytes > most) this.#applyPolicy(outbox);
  }

  /** To be called with an outbox that has drained, or whose socket is closed. */
  relieve(outbox: BudgetedOutbox): void {
    if (!this.#over.delete(outbox)) return;
    outbox.setOverBudget(false);
  }

  #schedule(): void {
    this.#timer ??= this.runtime.fairTimeout(ROUND, (wasStalled) => this.#judge(wasStalled));
  }

  #judge(wasStalled: boolean): void {
    this.#timer = null;
    const now = this.runtime.monotonic();
    for (const [outbox, progress] of this.#over) {
      const { sentBytes } = outbox;
      if (outbox.ws.readyState !== OPEN || outbox.unsentBytes <= this.budget) {
        this.relieve(outbox);
      } else if (wasStalled || sentBytes > progress.sentBytes) {
        progress.since = now;
      } else if (now - progress.since >= this.#grace && this.policy !== 'dropOldest') {
        this.#applyPolicy(outbox);
      }
      // It may have fallen: where a runtime shows only what waits, further frames lower it.
      progress.sentBytes = sentBytes;
    }
    if (this.#over.size > 0) this.#schedule();
  }

  #applyPolicy(outbox: BudgetedOutbox): void {
    if (outbox.ws.readyState !== OPEN) return;
    if (this.policy === 'drop') {
      outbox.startDropping();
      return;
    }
    this.counts.disconnected++;
    this.#over.delete(outbox);
    closeOrCut(outbox.ws, CLOSE_CODES.TOO_SLOW, this.runtime);
  }
}
