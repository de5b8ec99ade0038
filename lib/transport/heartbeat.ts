import { Inject, Injectable } from '@nestjs/common';
import { ClientManager } from '../clients/client-manager.js';
import type { WsClient } from '../clients/ws-client.js';
import { CLOSE_CODES } from '../protocol/close-codes.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { Runtime, type RuntimeTimer } from '../runtime/runtime.js';

/** How much later than planned a verdict may come before it is this process that was stalled, not its clients. */
const STALL = 1_000;
/** How long a client has to answer the close frame of a verdict before its socket is cut. */
const LAST_WORDS = 1_000;

const OPEN = 1;

/**
 * Finds dead connections: every client is pinged each `interval`, and one that sends no pong within `timeout` is closed.
 * Two timers for all sockets. A round whose verdict is late tells nothing about the clients and is held again.
 */
@Injectable()
export class Heartbeat {
  #timer: RuntimeTimer | null = null;
  #silent = new Set<WsClient>();

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
    this.#silent.clear();
  }

  /** The client is alive. */
  heard(client: WsClient): void {
    this.#silent.delete(client);
  }

  #schedulePings(delay: number): void {
    this.#timer = this.runtime.timeout(delay, () => this.#ping());
  }

  #ping(): void {
    const heartbeat = this.options.heartbeat;
    if (!heartbeat) return;
    this.#silent = new Set();
    for (const client of this.clientManager.local.values()) {
      // The pong of a client whose socket is paused, since its queue is full, would not be read.
      if (client.readyState !== OPEN || client.ws.isPaused) continue;
      this.#silent.add(client);
      client.ws.ping();
    }
    const dueAt = this.runtime.monotonic() + heartbeat.timeout;
    // After the timer comes the turn's I/O: pongs that have arrived while this process was busy are read first.
    this.#timer = this.runtime.timeout(heartbeat.timeout, () => this.runtime.afterIo(() => this.#judge(dueAt)));
  }

  #judge(dueAt: number): void {
    const heartbeat = this.options.heartbeat;
    if (!heartbeat || !this.#timer) return;
    if (this.runtime.monotonic() - dueAt > STALL) {
      this.#ping();
      return;
    }
    for (const client of this.#silent) {
      if (client.readyState !== OPEN || client.ws.isPaused) continue;
      client.ws.close(CLOSE_CODES.HEARTBEAT_TIMEOUT.code, CLOSE_CODES.HEARTBEAT_TIMEOUT.reason);
      const cut = this.runtime.timeout(LAST_WORDS, () => client.ws.terminate());
      client.ws.once('close', () => cut.cancel());
    }
    this.#silent.clear();
    this.#schedulePings(heartbeat.interval - heartbeat.timeout);
  }
}
