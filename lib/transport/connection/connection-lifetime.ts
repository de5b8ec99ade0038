import { Inject, Injectable } from '@nestjs/common';
import { ClientRegistry } from '../../clients/client-registry.js';
import { restartClose } from '../../clients/close-reason.js';
import type { ClientSession } from '../../clients/session/client-session.js';
import { allOptions, PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { counter, type MetricSource, type WebSocketMetric } from '../../runtime/metrics/metrics.js';
import { Runtime, type RuntimeTimer } from '../../runtime/runtime.js';
import { OPEN } from '../../runtime/socket-state.js';

/** By which part of its lifetime a connection may end earlier or later, so that those who came together do not go together. */
const JITTER = 0.1;
/** The longest time between two sweeps, in ms. */
const SWEEP = 1_000;

/**
 * With `limits.connectionLifetime`: closes connections that are older, by the options of their endpoint, once their messages
 * have been answered. A sweep looks at clients from the oldest on, so nothing is kept for any of them.
 */
@Injectable()
export class ConnectionLifetime implements MetricSource {
  readonly #shortest: number;
  #timer: RuntimeTimer | null = null;
  #sweptAt = 0;
  /** Those whose time is up and whose messages still run, and when each is closed at the latest. */
  readonly #finishing = new Map<ClientSession, number>();
  #closed = 0;

  constructor(
    private readonly clients: ClientRegistry,
    private readonly runtime: Runtime,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {
    this.#shortest = Math.min(...allOptions(options).map(({ limits }) => limits.connectionLifetime || Infinity));
  }

  start(): void {
    this.#sweptAt = this.runtime.monotonic();
    if (this.#shortest < Infinity) this.#schedule();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#finishing.clear();
  }

  *metrics(): Iterable<WebSocketMetric> {
    yield counter('lifetime_closes', this.#closed);
  }

  #schedule(): void {
    this.#timer = this.runtime.timeout(Math.min(SWEEP, this.#shortest * JITTER), () => {
      this.#sweep();
      this.#schedule();
    });
  }

  #sweep(): void {
    const now = this.runtime.now();
    const sweptAt = this.runtime.monotonic();
    const passed = sweptAt - this.#sweptAt;
    this.#sweptAt = sweptAt;
    for (const [session, latest] of this.#finishing) if (sweptAt >= latest) this.#close(session);
    for (const session of this.clients.values()) {
      const age = now - session.connectedAt;
      if (age <= this.#shortest * (1 - JITTER)) break; // those behind it are younger
      if (session.readyState === OPEN && !this.#finishing.has(session) && this.#isDue(session, age, passed)) {
        this.#end(session, sweptAt);
      }
    }
  }

  /**
   * Decides by chance: what has passed since the last sweep of what was left of the span in which the connection ends. So
   * every moment of that span is as likely as any other. Only where the clock was set is a connection beyond its span: such
   * ones are many, and end over the length of a span.
   */
  #isDue({ options }: ClientSession, age: number, passed: number): boolean {
    const lifetime = options.limits.connectionLifetime;
    if (lifetime === false) return false;
    const before = Math.max(age - passed, lifetime * (1 - JITTER));
    const end = lifetime * (1 + JITTER);
    const left = before < end ? end - before : 2 * JITTER * lifetime;
    return this.runtime.random() * left < age - before;
  }

  #end(session: ClientSession, now: number): void {
    if (session.isIdle) {
      this.#close(session);
      return;
    }
    this.#finishing.set(session, now + this.options.shutdown.timeout);
    void session.inbound.whenIdle().then(() => {
      if (this.#finishing.has(session)) this.#close(session);
    });
  }

  #close(session: ClientSession): void {
    this.#finishing.delete(session);
    if (session.readyState !== OPEN) return;
    this.#closed++;
    // At once: their times are spread already.
    const { code, reason } = restartClose(0);
    session.ws.close(code, reason);
  }
}
