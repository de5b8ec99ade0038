import { Inject, Injectable } from '@nestjs/common';
import { ClientManager } from '../../clients/client-manager.js';
import type { WsClient } from '../../clients/ws-client.js';
import { CLOSE_CODES } from '../../protocol/close-codes.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { Runtime, type RuntimeTimer } from '../../runtime/runtime.js';
import { Ping } from './ping.js';

/** How much later than planned a verdict may come before it is this process that was stalled, not its clients. */
const STALL = 1_000;
/** How long a client has to answer the close frame of a verdict before its socket is cut. */
const LAST_WORDS = 1_000;

const OPEN = 1;

type Periods = NonNullable<ResolvedOptions['heartbeat']>;

/**
 * Finds dead connections: every client is pinged each `interval`, and one that sends no pong within `timeout` is closed.
 * The time begins when the ping has left: until then it may wait behind much that the client is still reading, and what
 * counts is that something leaves. Three timers for all sockets. A round whose verdict is late tells nothing about the
 * clients and is held again.
 */
@Injectable()
export class Heartbeat {
  #timer: RuntimeTimer | null = null;
  /** Set while somebody has more time than the round, since its ping left late. */
  #lateTimer: RuntimeTimer | null = null;
  /** The pings that nothing was heard after. */
  readonly #unanswered = new Map<WsClient, Ping>();

  constructor(
    private readonly clientManager: ClientManager,
    private readonly runtime: Runtime,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  start(): void {
    if (this.options.heartbeat) this.#schedulePings(this.options.heartbeat.interval);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#lateTimer?.cancel();
    this.#lateTimer = null;
    this.#unanswered.clear();
  }

  /** The client is alive. */
  heard(client: WsClient): void {
    this.#unanswered.delete(client);
  }

  #schedulePings(delay: number): void {
    this.#timer = this.runtime.timeout(delay, () => this.#ping());
  }

  #ping(): void {
    const heartbeat = this.options.heartbeat;
    if (!heartbeat) return;
    for (const client of this.clientManager.local.values()) {
      // The pong of a client whose socket is paused, since its queue is full, would not be read.
      if (client.readyState !== OPEN || client.ws.isPaused || this.#unanswered.has(client)) continue;
      const ping = new Ping(client, this.runtime);
      this.#unanswered.set(client, ping);
      ping.send();
    }
    const dueAt = this.runtime.monotonic() + heartbeat.timeout;
    this.#timer = this.#afterIo(heartbeat.timeout, () => this.#endRound(heartbeat, dueAt));
  }

  #endRound(heartbeat: Periods, dueAt: number): void {
    if (!this.#timer) return;
    if (this.runtime.monotonic() - dueAt > STALL) {
      this.#unanswered.clear();
      this.#ping();
      return;
    }
    this.#judge(heartbeat);
    this.#schedulePings(heartbeat.interval - heartbeat.timeout);
  }

  #judge(heartbeat: Periods): void {
    const now = this.runtime.monotonic();
    let next = Infinity;
    for (const [client, ping] of this.#unanswered) {
      const isAsked = client.readyState === OPEN && !client.ws.isPaused;
      const dueAt = isAsked ? ping.dueAt(heartbeat.timeout) : now;
      if (dueAt > now) {
        next = Math.min(next, dueAt);
      } else {
        this.#unanswered.delete(client);
        if (isAsked) this.#end(client);
      }
    }
    this.#lateTimer?.cancel();
    this.#lateTimer = next < Infinity ? this.#afterIo(next - now, () => this.#judgeLate(heartbeat, next)) : null;
  }

  #judgeLate(heartbeat: Periods, dueAt: number): void {
    if (!this.#lateTimer) return;
    if (this.runtime.monotonic() - dueAt > STALL) for (const ping of this.#unanswered.values()) ping.forgive();
    this.#judge(heartbeat);
  }

  #end(client: WsClient): void {
    client.ws.close(CLOSE_CODES.HEARTBEAT_TIMEOUT.code, CLOSE_CODES.HEARTBEAT_TIMEOUT.reason);
    const cut = this.runtime.timeout(LAST_WORDS, () => client.ws.terminate());
    client.ws.once('close', () => cut.cancel());
  }

  /** After the timer comes the turn's I/O: pongs that have arrived while this process was busy are read first. */
  #afterIo(ms: number, judge: () => void): RuntimeTimer {
    return this.runtime.timeout(ms, () => this.runtime.afterIo(judge));
  }
}
