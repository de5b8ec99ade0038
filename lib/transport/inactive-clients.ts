import { Inject, Injectable, Logger } from '@nestjs/common';
import { ClientManager } from '../clients/client-manager.js';
import { CLOSE_CODES } from '../protocol/close-codes.js';
import { PXL_WS_OPTIONS, type ResolvedOptions } from '../pxl-websocket.options.js';
import { Runtime, type RuntimeTimer } from '../runtime/runtime.js';

/** How much later than planned a sweep may come before it is this process that was stalled, not its clients. */
const STALL = 1_000;

/**
 * With `disconnectInactiveClients`: closes who has sent no message for `inactiveTime`. A sweep that comes late judges
 * nobody: what clients sent meanwhile may not have been read.
 */
@Injectable()
export class InactiveClients {
  readonly #logger = new Logger('PxlWebSocket');
  #timer: RuntimeTimer | null = null;

  constructor(
    private readonly clientManager: ClientManager,
    private readonly runtime: Runtime,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  start(): void {
    if (this.options.disconnectInactiveClients.enabled) this.#schedule();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #schedule(): void {
    const { intervalCheckTime } = this.options.disconnectInactiveClients;
    const dueAt = this.runtime.monotonic() + intervalCheckTime;
    // After the timer comes the turn's I/O: messages that have arrived are read first.
    this.#timer = this.runtime.timeout(intervalCheckTime, () => this.runtime.afterIo(() => this.#sweep(dueAt)));
  }

  #sweep(dueAt: number): void {
    if (!this.#timer) return;
    this.#schedule();
    if (this.runtime.monotonic() - dueAt > STALL) return;
    const { inactiveTime, log } = this.options.disconnectInactiveClients;
    const silentSince = this.runtime.now() - inactiveTime;
    let count = 0;
    for (const client of this.clientManager.local.values()) {
      if (client.readyState !== 1 || client.lastActivity > silentSince) continue;
      client.ws.close(CLOSE_CODES.INACTIVE.code, CLOSE_CODES.INACTIVE.reason);
      count++;
    }
    if (log && count > 0) this.#logger.log(`Disconnected ${count} inactive clients.`);
  }
}
