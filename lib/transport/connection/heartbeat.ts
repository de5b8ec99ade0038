import { Inject, Injectable } from '@nestjs/common';
import { ClientRegistry } from '../../clients/client-registry.js';
import type { ClientSession } from '../../clients/session/client-session.js';
import { CLOSE_CODES } from '../../protocol/close-codes.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { closeOrCut } from '../../runtime/close-or-cut.js';
import { Runtime, type RuntimeTimer } from '../../runtime/runtime.js';
import { OPEN } from '../../runtime/socket-state.js';
import { Ping } from './ping.js';

/** How many clients are pinged in one turn of the event loop: thousands of writes would let everybody's messages wait for them. */
const AT_ONCE = 100;

type Periods = NonNullable<ResolvedOptions['heartbeat']>;

/**
 * Finds dead connections: every client is pinged each `interval`, and a client that sends nothing within `timeout` of its
 * ping is closed. That time begins when the ping has left; a ping that waits behind other bytes gives its client time as
 * long as some of them leave. After a pause of this process the round is held again, since clients could not be heard.
 * All sockets share two timers.
 */
@Injectable()
export class Heartbeat {
  #timer: RuntimeTimer | null = null;
  /** Set while a client has more time than the round, because its ping left late. */
  #lateTimer: RuntimeTimer | null = null;
  /** The clients that have sent nothing since their ping. */
  readonly #unanswered = new Map<ClientSession, Ping>();

  constructor(
    private readonly clients: ClientRegistry,
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

  /** The client has sent something, so it is alive. */
  heard(session: ClientSession): void {
    this.#unanswered.delete(session);
  }

  #schedulePings(delay: number): void {
    this.#timer = this.runtime.timeout(delay, () => this.#ping());
  }

  #ping(): void {
    const heartbeat = this.options.heartbeat;
    if (!heartbeat) return;
    this.#pingSome(this.clients.values()[Symbol.iterator]());
    this.#timer = this.runtime.fairTimeout(heartbeat.timeout, (wasStalled) => this.#endRound(heartbeat, wasStalled));
  }

  /** Pings the next clients; the rest of them when what has come meanwhile has had its turn. */
  #pingSome(rest: Iterator<ClientSession>): void {
    for (let asked = 0; asked < AT_ONCE; asked++) {
      const next = rest.next();
      if (next.done === true) return;
      const session = next.value;
      // A socket is paused while the queue of its client is full; its pong would not be read.
      if (session.readyState !== OPEN || session.ws.isPaused || this.#unanswered.has(session)) continue;
      const ping = new Ping(session, this.runtime);
      this.#unanswered.set(session, ping);
      ping.send();
    }
    this.runtime.afterIo(() => this.#timer && this.#pingSome(rest));
  }

  #endRound(heartbeat: Periods, wasStalled: boolean): void {
    if (wasStalled) {
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
    for (const [session, ping] of this.#unanswered) {
      const isAsked = session.readyState === OPEN && !session.ws.isPaused;
      const dueAt = isAsked ? ping.dueAt(heartbeat.timeout) : now;
      if (dueAt > now) {
        next = Math.min(next, dueAt);
      } else {
        this.#unanswered.delete(session);
        if (isAsked) closeOrCut(session.ws, CLOSE_CODES.HEARTBEAT_TIMEOUT, this.runtime);
      }
    }
    this.#lateTimer?.cancel();
    this.#lateTimer = null;
    if (next === Infinity) return;
    this.#lateTimer = this.runtime.fairTimeout(next - now, (wasStalled) => {
      if (wasStalled) for (const ping of this.#unanswered.values()) ping.restart();
      this.#judge(heartbeat);
    });
  }
}
