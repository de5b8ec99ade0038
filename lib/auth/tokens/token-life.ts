import { Injectable } from '@nestjs/common';
import type { ClientSession } from '../../clients/session/client-session.js';
import { CLOSE_CODES } from '../../protocol/close-codes.js';
import { Runtime, type RuntimeTimer } from '../../runtime/runtime.js';
import { closeForGood } from '../../clients/session/close-for-good.js';

/** Milliseconds between two checks, each of the clients that are due by then. */
const TICK = 1_000;
/** How many ms before the end of its token a client is told; if less than twice that is left, after half of what is left. */
const NOTICE = 60_000;

interface Life {
  readonly expiresAt: number;
  /** The tick at which the client is due next. */
  tick: number;
  isTold: boolean;
}

/**
 * Ends connections with their tokens: it sends `auth.expiring` before, and closes with 4005 at the end. One timer for all
 * clients reads the wall clock each second, so distant dates and a clock that is set are no problem.
 */
@Injectable()
export class TokenLife {
  readonly #lives = new Map<ClientSession, Life>();
  readonly #ticks = new Map<number, Set<ClientSession>>();
  #timer: RuntimeTimer | null = null;
  #lastTick = 0;

  constructor(private readonly runtime: Runtime) {}

  /** How many connections will expire. */
  get size(): number {
    return this.#lives.size;
  }

  /**
   * Watches a client; called again, it replaces the end.
   *
   * @param expiresAt ms since 1970; undefined: it does not expire
   */
  watch(client: ClientSession, expiresAt: number | undefined): void {
    this.forget(client);
    if (expiresAt === undefined || expiresAt === Infinity) return;
    const now = this.runtime.now();
    // With NaN the token ends at once.
    const life: Life = { expiresAt: expiresAt > now ? expiresAt : now, tick: 0, isTold: false };
    const left = life.expiresAt - now;
    this.#lives.set(client, life);
    if (!this.#timer) this.#lastTick = Math.floor(now / TICK);
    this.#plan(client, life, left > 2 * NOTICE ? life.expiresAt - NOTICE : now + left / 2);
    if (!this.#timer) this.#schedule();
  }

  /** Stops watching a client, whose connection has ended. */
  forget(client: ClientSession): void {
    const life = this.#lives.get(client);
    if (!life) return;
    this.#lives.delete(client);
    this.#unplan(client, life);
    if (this.#lives.size > 0) return;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #schedule(): void {
    this.#timer = this.runtime.timeout(TICK, () => this.#tick());
  }

  #tick(): void {
    const now = Math.floor(this.runtime.now() / TICK);
    for (const tick of this.#dueTicks(now)) {
      for (const client of this.#ticks.get(tick) ?? []) this.#act(client);
    }
    this.#lastTick = now;
    if (this.#lives.size > 0) this.#schedule();
    else this.#timer = null;
  }

  /** Normally one tick; after a long pause, or when the clock was set forward, only the ticks that have clients. */
  #dueTicks(now: number): number[] {
    const missed = now - this.#lastTick;
    if (missed >= 0 && missed <= this.#ticks.size) {
      return Array.from({ length: missed }, (_, index) => this.#lastTick + 1 + index);
    }
    return [...this.#ticks.keys()].filter((tick) => tick <= now).sort((one, other) => one - other);
  }

  #act(client: ClientSession): void {
    const life = this.#lives.get(client);
    if (!life) return;
    this.#unplan(client, life);
    if (this.runtime.now() >= life.expiresAt) {
      this.#lives.delete(client);
      closeForGood(client, CLOSE_CODES.TOKEN_EXPIRED, this.runtime);
      return;
    }
    if (!life.isTold) {
      life.isTold = true;
      client.send({ type: 'auth', action: 'expiring', data: { expiresAt: life.expiresAt } });
    }
    this.#plan(client, life, life.expiresAt);
  }

  #plan(client: ClientSession, life: Life, at: number): void {
    life.tick = Math.max(Math.ceil(at / TICK), this.#lastTick + 1);
    const clients = this.#ticks.get(life.tick);
    if (clients) clients.add(client);
    else this.#ticks.set(life.tick, new Set([client]));
  }

  #unplan(client: ClientSession, life: Life): void {
    const clients = this.#ticks.get(life.tick);
    clients?.delete(client);
    if (clients?.size === 0) this.#ticks.delete(life.tick);
  }
}
