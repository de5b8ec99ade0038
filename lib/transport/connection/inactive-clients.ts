import { Inject, Injectable } from '@nestjs/common';
import { ClientManager } from '../../clients/client-manager.js';
import { ModuleLogger } from '../../errors/module-logger.js';
import { allOptions, PXL_WS_OPTIONS, type ResolvedOptions } from '../../pxl-websocket.options.js';
import { Runtime, type RuntimeTimer } from '../../runtime/runtime.js';

/** How much later than planned a sweep may come before it is this process that was stalled, not its clients. */
const STALL = 1_000;

/**
 * With `disconnectInactiveClients`: closes who has sent no message for `inactiveTime`, the clients of each endpoint by its
 * own options. A sweep that comes late judges nobody: what clients sent meanwhile may not have been read.
 */
@Injectable()
export class InactiveClients {
  readonly #logger = new ModuleLogger();
  /** By the options of the endpoints whose clients they sweep. */
  readonly #timers = new Map<ResolvedOptions, RuntimeTimer>();

  constructor(
    private readonly clientManager: ClientManager,
    private readonly runtime: Runtime,
    @Inject(PXL_WS_OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  start(): void {
    for (const options of allOptions(this.options)) {
      if (options.disconnectInactiveClients.enabled) this.#schedule(options);
    }
  }

  stop(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }

  #schedule(options: ResolvedOptions): void {
    const { intervalCheckTime } = options.disconnectInactiveClients;
    const dueAt = this.runtime.monotonic() + intervalCheckTime;
    // After the timer comes the turn's I/O: messages that have arrived are read first.
    const sweep = (): void => this.runtime.afterIo(() => this.#sweep(options, dueAt));
    this.#timers.set(options, this.runtime.timeout(intervalCheckTime, sweep));
  }

  #sweep(options: ResolvedOptions, dueAt: number): void {
    if (!this.#timers.has(options)) return;
    this.#schedule(options);
    if (this.runtime.monotonic() - dueAt > STALL) return;
    const { inactiveTime, log } = options.disconnectInactiveClients;
    const silentSince = this.runtime.now() - inactiveTime;
    let count = 0;
    for (const client of this.clientManager.local.values()) {
      if (client.options !== options || client.readyState !== 1 || client.lastActivity > silentSince) continue;
      const { code, reason } = client.codec.inactive;
      client.ws.close(code, reason);
      count++;
    }
    if (log && count > 0) this.#logger.log(`Disconnected ${count} inactive clients.`);
  }
}
